package session

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/Snider/go-p2p/crypto"
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
	for _, message := range [][]byte{handshake, ack} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
		h.Write(message)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// extract returns the pseudorandom key of a session. The caller clears it.
func extract(ikm, handshake, ack []byte) []byte {
	th := transcript(handshake, ack)
	prk, err := hkdf.Extract(sha256.New, ikm, th[:])
	if err != nil { // unreachable: the FIPS-only mode, the one cause, refuses X25519 before
		panic(err)
	}
	return prk
}

// expand fills out with HKDF-Expand(key, label).
func expand(key []byte, label string, out []byte) {
	okm, err := hkdf.Expand(sha256.New, key, label, len(out))
	if err != nil { // unreachable: at most 44 bytes
		panic(err)
	}
	copy(out, okm)
	clear(okm)
}

// start derives the secrets of both directions. It clears ikm.
func start(own crypto.Side, aead AEAD, ikm, handshake, ack []byte) (Sealer, Opener) {
	prk := extract(ikm, handshake, ack)
	clear(ikm)
	out, in := labelInitiator, labelResponder
	if own == crypto.Responder {
		out, in = in, out
	}
	sealer := Sealer{&sealing{direction: direction{secret: new([secretLen]byte), aead: aead}}}
	opener := Opener{&opening{direction: direction{secret: new([secretLen]byte), aead: aead}}}
	expand(prk, out, sealer.s.secret[:])
	expand(prk, in, opener.o.secret[:])
	clear(prk)
	return sealer, opener
}
