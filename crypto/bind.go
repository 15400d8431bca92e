package crypto

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Side is one of the two sides of a connection. Bound frames of the two differ (protocol section 7). [NodeRole] is
// the role of a node for its applications.
type Side byte

// The sides of a connection.
const (
	Initiator Side = 'i' // dialled the connection and sent the handshake
	Responder Side = 'r' // accepted it and sent the ack
)

// Bind is the mark that ties an SMSG frame to one connection and one direction: canonical base64 of 32 bytes
// (protocol section 7). Package wire writes and reads it as meta.bind of the plaintext. Frames of other connections
// between the same two nodes also open, since the key is the same, but contain another Bind.
type Bind [44]byte

// NewBind returns the mark of frames that one side seals on a connection. handshake and ack are the two handshake
// messages of the connection, byte for byte as sent.
func NewBind(sealing Side, handshake, ack []byte) Bind {
	h := sha256.New()
	h.Write([]byte("go-p2p smsg bind/1"))
	h.Write([]byte{byte(sealing)})
	var space [sha256.Size]byte
	for _, message := range [][]byte{handshake, ack} {
		h.Write(binary.BigEndian.AppendUint32(space[:0], uint32(len(message))))
		h.Write(message)
	}
	var b Bind
	base64.StdEncoding.Encode(b[:], h.Sum(space[:0]))
	return b
}
