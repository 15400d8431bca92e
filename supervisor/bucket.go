package supervisor

import (
	"net"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// maxIdleBuckets bounds the buckets that wait to be full again: a stranger can come under many names.
const maxIdleBuckets = 1 << 14

// bucketKey says whose bucket it is. A name that is only claimed counts together with the address it came from, so that
// nobody can empty somebody else's bucket.
type bucketKey struct{ peer, host string }

// bucket is a token bucket that all connections of one key share, so that neither a reconnect nor a second connection
// brings a fresh one. It implements actors.Limiter.
type bucket struct {
	users int // owned by the registry

	mu      sync.Mutex
	limiter *actors.PeerRateLimiter
}

// Take implements actors.Limiter.
func (b *bucket) Take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Take(now)
}

func bucketOf(id, remote string) bucketKey {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	return bucketKey{peer: id, host: host}
}

// setRate gives the bucket the rate of the configuration in force; tokens that were spent stay spent.
func (b *bucket) setRate(burst, refill float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limiter.SetRate(burst, refill, now)
}

// full reports whether a new bucket would allow no more than this one.
func (b *bucket) full(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Full(now)
}

// borrow returns the bucket of a connection that opens. The bucket takes the rate in force, also for older connections
// of the same key.
func (r *registry) borrow(key bucketKey) *bucket {
	b := r.buckets[key]
	if b == nil {
		b = &bucket{limiter: actors.NewPeerRateLimiter(r.cfg.RateBurst, r.cfg.RateRefill, time.Now())}
		r.buckets[key] = b
	} else {
		b.setRate(r.cfg.RateBurst, r.cfg.RateRefill, time.Now())
	}
	b.users++
	return b
}

// giveBack is the end of a connection: its bucket stays until it would be full again.
func (r *registry) giveBack(key bucketKey) {
	b := r.buckets[key]
	if b == nil {
		return
	}
	if b.users--; b.users > 0 {
		return
	}
	if len(r.buckets) > maxIdleBuckets+r.cfg.MaxConns {
		r.dropBuckets()
	}
	if r.cfg.RateRefill == 0 || len(r.buckets) > maxIdleBuckets+r.cfg.MaxConns {
		delete(r.buckets, key)
	}
}

// dropBuckets forgets the idle buckets that are full again.
func (r *registry) dropBuckets() {
	now := time.Now()
	for key, b := range r.buckets {
		if b.users == 0 && b.full(now) {
			delete(r.buckets, key)
		}
	}
}
