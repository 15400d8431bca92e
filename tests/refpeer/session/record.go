package session

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"
)

// The types of records.
const (
	TypeMessages byte = 1
	TypeRekey    byte = 2
)

// Overhead is the number of bytes that a record adds to its plaintext: type and tag.
const Overhead = 1 + tagSize

// ErrRecordType means that a record has an unknown type, or an empty or filled plaintext that its type forbids.
var ErrRecordType = errors.New("session: no such record")

// Direction seals or opens the records of one direction. Tests may set Counter. Not safe for concurrent use.
type Direction struct {
	AEAD            string
	Secret, Key, IV []byte
	Counter         uint64 // of the next record
}

func newDirection(aead string, secret []byte) *Direction {
	d := &Direction{AEAD: aead}
	d.use(secret)
	return d
}

func (d *Direction) use(secret []byte) {
	both := expand(secret, "go-p2p session/1 key iv", 44)
	d.Secret, d.Key, d.IV, d.Counter = secret, both[:32], both[32:], 0
}

// Clone returns a copy that goes on by itself.
func (d *Direction) Clone() *Direction {
	return &Direction{
		AEAD: d.AEAD, Secret: slices.Clone(d.Secret), Key: slices.Clone(d.Key), IV: slices.Clone(d.IV),
		Counter: d.Counter,
	}
}

// Update replaces the secret by the next one, as after a rekey record.
func (d *Direction) Update() { d.use(expand(d.Secret, "go-p2p session/1 update", KeySize)) }

// nonce returns the nonce of the next record and counts it.
func (d *Direction) nonce() []byte {
	nonce := binary.BigEndian.AppendUint64(make([]byte, 4), d.Counter)
	d.Counter++
	subtle.XORBytes(nonce, nonce, d.IV)
	return nonce
}

// Seal returns a record of any type and plaintext, valid or not. It does not update the secret.
func (d *Direction) Seal(typ byte, plaintext []byte) []byte {
	return append([]byte{typ}, sealAEAD(d.AEAD, d.Key, d.nonce(), plaintext, []byte{typ})...)
}

// Rekey returns a rekey record and updates the secret.
func (d *Direction) Rekey() []byte {
	record := d.Seal(TypeRekey, nil)
	d.Update()
	return record
}

// Open returns the type and the plaintext of a record, and updates the secret after a rekey record. Any error is final:
// the connection must end.
func (d *Direction) Open(record []byte) (byte, []byte, error) {
	if len(record) < Overhead {
		return 0, nil, ErrOpen
	}
	typ := record[0]
	if typ != TypeMessages && typ != TypeRekey {
		return 0, nil, ErrRecordType
	}
	plaintext, err := openAEAD(d.AEAD, d.Key, d.nonce(), record[1:], record[:1])
	switch {
	case err != nil:
		return 0, nil, err
	case (typ == TypeMessages) == (len(plaintext) == 0):
		return 0, nil, ErrRecordType
	case typ == TypeRekey:
		d.Update()
	}
	return typ, plaintext, nil
}
