package supervisor

import (
	"cmp"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
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

	clock *runclock.Clock // fixed at construction

	mu      sync.Mutex
	limiter actors.PeerRateLimiter
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

// bucketOf returns the key of the bucket that a connection draws on. The bucket of a peer belongs to connections that are
// bound to it. Unmarked proofs are inexact, so theirs belongs to the peer and the host together, and a connection that
// has proven nothing shares one with all others of its address group.
func bucketOf(strength actors.Strength, id, remote string) bucketKey {
	switch host := hostOf(remote); {
	case strength >= actors.Bound:
		return bucketKey{peer: id}
	case strength.Verified():
		return bucketKey{peer: id, host: host}
	default:
		return bucketKey{host: cmp.Or(addressGroup(remote), host)}
	}
}

// freeFrames is how many frames of a connection pass without a token, so that a proof gets through however many others
// of the same address group there are.
const freeFrames = 2

// proofLimiter is the limiter of one unverified connection. It is used by that connection only.
type proofLimiter struct {
	free   int // of the next frames
	bucket *bucket
}

// Take implements actors.Limiter.
func (l *proofLimiter) Take(now time.Time) bool {
	free := l.free > 0
	l.free = max(l.free-1, 0)
	return l.bucket.Take(now) || free
}

// Credit implements actors.Creditor.
func (l *proofLimiter) Credit(now time.Time, lost time.Duration) { l.bucket.Credit(now, lost) }

// assignBucket gives a connection the bucket that its strength entitles it to, in place of the one that it had.
func (r *registry) assignBucket(s *slot) actors.Limiter {
	old, had := s.bucket, s.bucket != bucketKey{}
	s.bucket, s.limits = bucketOf(s.rank.strength, s.conn.peer.ID, s.conn.peerAddress), r.cfg
	b := r.acquireBucket(s.bucket)
	if had {
		r.releaseBucket(old)
	}
	if !s.rank.strength.Verified() {
		return &proofLimiter{free: freeFrames, bucket: b}
	}
	return b
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

// acquireBucket returns the bucket of a connection that opens. The bucket takes the rate in force, also for older connections
// of the same key.
func (r *registry) acquireBucket(key bucketKey) *bucket {
	b := r.buckets[key]
	if b == nil {
		now := time.Now()
		b = &bucket{
			clock: r.node.Running, lost: r.node.Running.Lost(now),
			limiter: *actors.NewPeerRateLimiter(r.cfg.RateBurst, r.cfg.RateRefill, now),
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

// releaseBucket is the end of a connection: its bucket stays until it would be full again.
func (r *registry) releaseBucket(key bucketKey) {
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
