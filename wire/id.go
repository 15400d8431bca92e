package wire

import (
	"crypto/rand"
	"sync"

	"github.com/google/uuid"
)

// entropy is random bytes drawn ahead: without it an ID takes a fifth longer where
// the kernel gives them without a system call, and elsewhere a system call more.
type entropy struct {
	bytes [512]byte
	left  int // bytes[:left] are still to be used
}

// entropies is global for the same reason as encoders. A block has one user at a
// time.
var entropies = sync.Pool{New: func() any { return new(entropy) }}

// draw returns 16 bytes that nobody has seen or will see.
func (e *entropy) draw() (random [16]byte) {
	if e.left == 0 {
		_, _ = rand.Read(e.bytes[:]) // does not fail
		e.left = len(e.bytes)
	}
	e.left -= len(random)
	used := e.bytes[e.left:][:len(random)]
	copy(random[:], used)
	clear(used)
	return random
}

// newID returns a UUID v4 as text, whose 122 random bits come from crypto/rand.
func newID() string {
	e := entropies.Get().(*entropy)
	id := uuid.UUID(e.draw())
	entropies.Put(e)
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id.String()
}
