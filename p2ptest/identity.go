package p2ptest

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// identity returns the identity of a name. Its private key is public: it protects nothing.
func identity(name string) (*crypto.NodeManager, error) {
	key := sha256.Sum256([]byte("p2ptest " + name))
	return crypto.NodeManagerFromPrivateKey(key[:], name, crypto.RoleDual, time.Unix(1e9, 0))
}

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
