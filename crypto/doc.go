// Package crypto holds the identity of a node: key pair and key file, X25519
// shared secrets, the handshake's challenge, and the marks that bind frames to a
// connection. It implements section 1 of the wire protocol, the challenge of
// section 3 and the bind of section 7. It handles bytes only: it knows no
// messages, sockets or actors. Package crypto/smsg seals and opens the frames.
//
// Private material stays inside: the private key never leaves its NodeManager,
// and shared secrets print as "[redacted]".
package crypto
