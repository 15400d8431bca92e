// Package crypto manages the identity of a node: key pair and key file, X25519 shared secrets, handshake challenges,
// and the marks that bind frames to a connection. It implements section 1 of docs/protocol.md, the challenge of
// section 3 and the bind of section 7. It handles bytes only, not messages, sockets or actors. Package crypto/smsg
// seals and opens frames, package crypto/session derives the keys of sessions and seals and opens their records.
//
// The private key never leaves its NodeManager, and shared secrets print as "[redacted]".
package crypto
