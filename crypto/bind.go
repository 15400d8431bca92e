package crypto

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Role is the side of a connection that seals a frame, as the binding of
// frames tells them apart (protocol section 7).
type Role byte

// The roles.
const (
	Initiator Role = 'i' // dialled the connection and sent the handshake
	Responder Role = 'r' // accepted it and sent the ack
)

// Bind is the mark that ties an SMSG frame to one connection and one
// direction: canonical base64 of 32 bytes, the text of meta.bind in the
// plaintext, which package wire writes and reads. A frame sealed for another connection of the same two
// nodes opens here too, since the key is the same, but carries another Bind.
type Bind [44]byte

// NewBind returns the mark of the frames that role seals on the connection
// whose two handshake messages were these bytes, exactly as sent.
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
