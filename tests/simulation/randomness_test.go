package simulation

import (
	"io"
	"math/rand/v2"
	"sync"
)

// randomness is a seeded stream of random bytes. Safe for concurrent use.
type randomness struct {
	mu     sync.Mutex
	stream *rand.ChaCha8
}

func newRandomness(from *rand.Rand) io.Reader {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(from.Uint32())
	}
	return &randomness{stream: rand.NewChaCha8(seed)}
}

// Read implements io.Reader.
func (r *randomness) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream.Read(b)
}
