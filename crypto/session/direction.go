package session

import (
	"crypto/cipher"
	"encoding/binary"

	"github.com/Snider/go-p2p/crypto/internal/mac"
)

const ivCounterAt = nonceLen - 8 // offset of the 8 bytes that the counter is XORed into

// direction is the key state of one direction of a session. At rest it is the secret and the counts; cipher and nonce
// are derived from the secret when they are used.
type direction struct {
	secret  *[secretLen]byte // a pointer, so that printing a struct does not reveal it
	records uint64           // sealed or opened under the secret: the counter of the next record
	bytes   uint64           // of these records, type and tag included

	cipher cipher.AEAD    // nil: at rest
	ivTail uint64         // the last eight bytes of the IV
	nonce  [nonceLen]byte // of the last record; its first four bytes are those of the IV
	aead   AEAD           // constant
}

// ready returns the cipher with the nonce of the next record.
func (d *direction) ready() (cipher.AEAD, []byte) {
	if d.cipher == nil {
		d.wake()
	}
	binary.BigEndian.PutUint64(d.nonce[ivCounterAt:], d.ivTail^d.records)
	return d.cipher, d.nonce[:]
}

// wake derives cipher and IV from the secret.
func (d *direction) wake() {
	var okm [secretLen + nonceLen]byte
	mac.Expand(d.secret[:], labelKeyIV, okm[:])
	d.cipher = d.aead.newCipher(okm[:secretLen])
	d.nonce = [nonceLen]byte(okm[secretLen:])
	d.ivTail = binary.BigEndian.Uint64(d.nonce[ivCounterAt:])
	clear(okm[:])
}

// count advances to the next record after one of size bytes.
func (d *direction) count(size int) {
	d.records++
	d.bytes += uint64(size)
}

// update replaces the secret by the next one and starts counting again.
func (d *direction) update() {
	var next [secretLen]byte
	mac.Expand(d.secret[:], labelUpdate, next[:])
	*d.secret = next
	clear(next[:])
	d.records, d.bytes = 0, 0
	d.rest()
}

// rest drops cipher and IV.
func (d *direction) rest() {
	d.cipher, d.ivTail = nil, 0
	clear(d.nonce[:])
}

// erase ends the use of the direction.
func (d *direction) erase() {
	clear(d.secret[:])
	d.rest()
}
