package wire

import (
	crand "crypto/rand"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// generators is global for the same reason as encoders. Each is a stream cipher
// under a secret of its own: asking the system for each ID takes twice as long
// where that is quick, and a system call elsewhere. One has one user at a time.
var generators = sync.Pool{New: func() any {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // does not fail
	return rand.NewChaCha8(seed)
}}

// newID returns a UUID v4 as text, whose 122 random bits nobody can guess.
func newID() string {
	var id uuid.UUID
	g := generators.Get().(*rand.ChaCha8)
	_, _ = g.Read(id[:]) // does not fail
	generators.Put(g)
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id.String()
}
