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
	return &generator{random: rand.NewChaCha8(seed)}
}}

// idsTogether is the number of IDs that share an allocation. One that is retained retains the texts of all, 576 bytes.
const idsTogether = 16

// generator makes IDs, several at once. Not safe for concurrent use.
type generator struct {
	random *rand.ChaCha8
	ready  string // the texts of the next IDs
}

// newID returns the text of a UUID v4 with 122 unpredictable bits.
func newID() string {
	g := generators.Get().(*generator)
	if g.ready == "" {
		g.ready = g.texts()
	}
	id := g.ready[:uuidText]
	g.ready = g.ready[uuidText:]
	generators.Put(g)
	return id
}

// texts returns the texts of idsTogether new IDs.
func (g *generator) texts() string {
	var texts [idsTogether * uuidText]byte
	for at := 0; at < len(texts); at += uuidText {
		var id [uuidBytes]byte
		binary.BigEndian.PutUint64(id[:8], g.random.Uint64())
		binary.BigEndian.PutUint64(id[8:], g.random.Uint64())
		id[6] = id[6]&0x0f | 0x40 // version 4
		id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
		putUUID((*[uuidText]byte)(texts[at:]), &id)
	}
	return string(texts[:])
}
