package supervisor

import (
	"cmp"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
)

// maxIdleBuckets is the maximum number of buckets without a connection that are not full yet: an attacker can use many
// identities.
const maxIdleBuckets = 1 << 14

// bucketKey identifies a bucket. An unverified identity counts only together with its address, so that an attacker
// cannot drain the bucket of another peer.
type bucketKey struct{ peer, host string }

// bucket is a token bucket shared by all connections of one key, so that neither a reconnect nor a second connection
// gets a full one. It implements actors.Limiter.
type bucket struct {
	users int // connections; owned by the registry

	clock *runclock.Clock // fixed after construction

	mu      sync.Mutex
	limiter actors.PeerRateLimiter
	lost    time.Duration // standstill of the process at the last credit
}

// Take implements actors.Limiter. First it credits the standstill of the process since the last call.
func (b *bucket) Take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, 0)
	return b.limiter.Take(now)
}

// TakeSome implements actors.Limiter.
func (b *bucket) TakeSome(now time.Time, n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, 0)
	return b.limiter.TakeSome(now, n)
}

// Credit implements actors.Limiter.
func (b *bucket) Credit(now time.Time, lost time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, lost)
}

// Until implements actors.Limiter.
func (b *bucket) Until(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Until(now)
}

// credit requires the lock.
func (b *bucket) credit(now time.Time, held time.Duration) {
	lost := b.clock.Lost(now)
	if more := lost - b.lost + held; more > 0 {
		b.limiter.Credit(now, more)
	}
	b.lost = max(b.lost, lost)
}

// bucketOf returns the bucket key of a connection. Bound connections of a peer share one bucket. Unmarked proofs are
// inexact, so unmarked connections share one per peer and host. Unverified connections share one per address group.
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

// freeFrames is the number of frames that an unverified connection may send without a token, so that its proof is
// accepted although others of the same address group have drained the bucket.
const freeFrames = 2

// proofLimiter is the limiter of one unverified connection.
type proofLimiter struct {
	free   int // frames left that need no token
	bucket *bucket
}

// Take implements actors.Limiter.
func (l *proofLimiter) Take(now time.Time) bool {
	free := l.free > 0
	l.free = max(l.free-1, 0)
	return l.bucket.Take(now) || free
}

// TakeSome implements actors.Limiter.
func (l *proofLimiter) TakeSome(now time.Time, n int) int {
	for i := range n {
		if !l.Take(now) {
			return i
		}
	}
	return n
}

// Credit implements actors.Limiter.
func (l *proofLimiter) Credit(now time.Time, lost time.Duration) { l.bucket.Credit(now, lost) }

// Until implements actors.Limiter.
func (l *proofLimiter) Until(now time.Time) time.Duration {
	if l.free > 0 {
		return 0
	}
	return l.bucket.Until(now)
}

// assignBucket gives a connection the bucket of its strength and releases the previous one.
func (r *registry) assignBucket(s *slot) actors.Limiter {
	old, had := s.bucket, s.bucket != bucketKey{}
	s.bucket, s.limits = bucketOf(s.rank.strength, s.conn.peer.ID, s.conn.peerAddress), r.cfg
	b := r.acquireBucket(s.bucket)
	s.conn.bucket.Store(b)
	if had {
		r.releaseBucket(old)
	}
	if !s.rank.strength.Verified() {
		return &proofLimiter{free: freeFrames, bucket: b}
	}
	return b
}

// ignoreStandstill discards the credit for a standstill during which the bucket had no connection.
func (b *bucket) ignoreStandstill(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = b.clock.Lost(now)
}

// setRate applies the configured rate. Spent tokens stay spent.
func (b *bucket) setRate(burst, refill float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.credit(now, 0)
	b.limiter.SetRate(burst, refill, now)
}

// full reports whether the bucket holds as many tokens as a new one.
func (b *bucket) full(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Full(now)
}

// acquireBucket returns the bucket of an opening connection, with the configured rate. The rate also applies to older
// connections of the same key.
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

// releaseBucket ends a connection's use of its bucket, which is kept until it is full.
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

// dropBuckets drops the unused buckets that are full.
func (r *registry) dropBuckets() {
	now := time.Now()
	for key, b := range r.buckets {
		if b.users == 0 && b.full(now) {
			delete(r.buckets, key)
		}
	}
}
