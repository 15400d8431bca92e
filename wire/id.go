package wire

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// generators is a global pool, like encoders. Each generator is a stream cipher under its own secret key. Reading
// crypto/rand for each ID takes at least twice as long.
var generators = sync.Pool{New: func() any {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never returns an error
	return rand.NewChaCha8(seed)
}}

// newID returns the text of a UUID v4 with 122 unpredictable bits.
func newID() string {
	var id [uuidBytes]byte
	g := generators.Get().(*rand.ChaCha8)
	binary.BigEndian.PutUint64(id[:8], g.Uint64())
	binary.BigEndian.PutUint64(id[8:], g.Uint64())
	generators.Put(g)
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	var text [uuidText]byte
	putUUID(&text, &id)
	return string(text[:])
}
