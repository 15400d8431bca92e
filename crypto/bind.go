package crypto

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Role is the side of a connection that seals a frame. Bound frames of the two roles differ (protocol section 7).
type Role byte

// Roles of the two sides of a connection.
const (
	Initiator Role = 'i' // dialled the connection and sent the handshake
	Responder Role = 'r' // accepted it and sent the ack
)

// Bind is the mark that ties an SMSG frame to one connection and one direction: canonical base64 of 32 bytes
// (protocol section 7). Package wire writes and reads it as meta.bind of the plaintext. Frames of other connections
// between the same two nodes also open, since the key is the same, but contain another Bind.
type Bind [44]byte

// NewBind returns the mark of frames that role seals on a connection. handshake and ack are the two handshake
// messages of the connection, byte for byte as sent.
func NewBind(role Role, handshake, ack []byte) Bind {
	h := sha256.New()
	h.Write([]byte("go-p2p smsg bind/1"))
	h.Write([]byte{byte(role)})
	for _, message := range [][]byte{handshake, ack} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
		h.Write(message)
	}
	var b Bind
	base64.StdEncoding.Encode(b[:], h.Sum(nil))
	return b
}
