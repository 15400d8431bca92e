// Package crypto holds what a node is and how it keeps its words private:
// identity and key file, X25519 shared secrets, the handshake's challenge, and
// the SMSG containers that carry every message after the handshake. It
// implements sections 1 and 4 of the wire protocol and the challenge of
// section 3. It handles bytes only: it knows no messages, sockets or actors.
//
// Private material stays inside: the private key never leaves its NodeManager,
// and shared secrets print as "[redacted]".
package crypto
