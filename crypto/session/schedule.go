package session

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/internal/mac"
)

// Labels of the key schedule (protocol section 9).
const (
	labelTranscript = "go-p2p session/1"
	labelInitiator  = "go-p2p session/1 i2r"
	labelResponder  = "go-p2p session/1 r2i"
	labelKeyIV      = "go-p2p session/1 key iv"
	labelUpdate     = "go-p2p session/1 update"
)

// transcript returns the hash of both handshake messages exactly as sent.
func transcript(handshake, ack []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(labelTranscript))
	var space [sha256.Size]byte
	for _, message := range [][]byte{handshake, ack} {
		h.Write(binary.BigEndian.AppendUint32(space[:0], uint32(len(message))))
		h.Write(message)
	}
	return [sha256.Size]byte(h.Sum(space[:0]))
}

// extract returns the pseudorandom key of a session. The caller clears it.
func extract(ikm, handshake, ack []byte) [mac.Size]byte {
	th := transcript(handshake, ack)
	return mac.Extract(th[:], ikm)
}

// directions are both directions of a session, in one allocation. The secrets lie between the two: the goroutine that
// seals and the one that opens write to different cache lines.
type directions struct {
	sealing sealing
	secrets [2][secretLen]byte
	opening opening
}

// start derives the secrets of both directions. It clears ikm.
func start(own crypto.Side, aead AEAD, ikm, handshake, ack []byte) (Sealer, Opener) {
	prk := extract(ikm, handshake, ack)
	clear(ikm)
	out, in := labelInitiator, labelResponder
	if own == crypto.Responder {
		out, in = in, out
	}
	d := &directions{}
	d.sealing = sealing{direction: direction{secret: &d.secrets[0], aead: aead}, since: unused}
	d.opening = opening{direction: direction{secret: &d.secrets[1], aead: aead}}
	mac.Expand(prk[:], out, d.secrets[0][:])
	mac.Expand(prk[:], in, d.secrets[1][:])
	clear(prk[:])
	return Sealer{&d.sealing}, Opener{&d.opening}
}
