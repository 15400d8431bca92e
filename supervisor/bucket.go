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

	clock *actors.RunningClock // fixed at construction

	mu      sync.Mutex
	limiter *actors.PeerRateLimiter
	lost    time.Duration // standstill of the process up to the last credit
}

// Take implements actors.Limiter. It credits the standstill of the process since the last call first.
func (b *bucket) Take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, 0)
	return b.limiter.Take(now)
}

// Credit implements actors.Creditor.
func (b *bucket) Credit(now time.Time, lost time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, lost)
}

// credit is under the lock.
func (b *bucket) credit(now time.Time, held time.Duration) {
	lost := b.clock.Lost(now)
	if more := lost - b.lost + held; more > 0 {
		b.limiter.Credit(now, more)
	}
	b.lost = max(b.lost, lost)
}

func bucketOf(id, remote string) bucketKey {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	return bucketKey{peer: id, host: host}
}

// ignoreStandstill gives no credit for a standstill in which the bucket had no connection.
func (b *bucket) ignoreStandstill(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = b.clock.Lost(now)
}

// setRate gives the bucket the rate of the configuration in force; tokens that were spent stay spent.
func (b *bucket) setRate(burst, refill float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, 0)
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
		now := time.Now()
		b = &bucket{
			clock: r.node.Running, lost: r.node.Running.Lost(now),
			limiter: actors.NewPeerRateLimiter(r.cfg.RateBurst, r.cfg.RateRefill, now),
		}
		r.buckets[key] = b
	} else {
		now := time.Now()
		if b.users == 0 {
			b.ignoreStandstill(now)
		}
		b.setRate(r.cfg.RateBurst, r.cfg.RateRefill, now)
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
