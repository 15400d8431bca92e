package actors

import (
	"sync"
	"time"
)

// The margin below the peer's announced limit: it covers pings in between, and clocks that run differently.
const (
	marginTokens = 1    // left in the peer's bucket by application messages
	marginRefill = 0.98 // share of the announced refill that is used
)

// tokenError is the rounding error that a comparison of tokens allows.
const tokenError = 1e-6

// SendBucket models the token bucket in which a peer counts our frames. All connections of a verified peer share one, and
// it outlives them; an unverified connection has its own. The limit is not part of it: each connection applies the limit
// that was announced on it. Safe for concurrent use.
type SendBucket struct {
	mu     sync.Mutex
	tokens float64       // negative if pings and pongs exceeded the limit
	at     time.Duration // the time of tokens, since Node.Born
}

// sendLimit is an announced limit, small because every connection holds one.
type sendLimit struct {
	burst int32 // tokens
	milli int32 // thousandths of a token per second
}

func (l sendLimit) refill() float64 { return float64(l.milli) / 1000 }

// advance adds the tokens that came back until now; share is the part of the refill that counts. The caller holds mu.
func (b *SendBucket) advance(limit sendLimit, share float64, now time.Duration) {
	if now <= b.at {
		return
	}
	b.tokens = min(float64(limit.burst), b.tokens+(now-b.at).Seconds()*limit.refill()*share)
	b.at = now
}

// take takes a token if after that at least spare tokens are left. The caller holds mu.
func (b *SendBucket) take(spare float64) bool {
	if b.tokens < 1+spare-tokenError {
		return false
	}
	b.tokens--
	return true
}

// owe accounts for a frame that is sent without regard to the limit. The debt is at most one burst. The caller holds mu.
func (b *SendBucket) owe(limit sendLimit) { b.tokens = max(b.tokens-1, -float64(limit.burst)) }

// wait returns the time until an application message finds a token. The caller holds mu.
func (b *SendBucket) wait(limit sendLimit) time.Duration {
	missing := 1 + marginTokens - b.tokens
	return time.Duration(missing/(limit.refill()*marginRefill)*float64(time.Second)) + 1 // rounded up
}

// SendBucket returns the connection's model of its peer's inbound limiter; nil if the peer announced no limit.
func (h *Handle) SendBucket() *SendBucket {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	if h.outbox.pacing == nil {
		return nil
	}
	return h.outbox.pacing.bucket
}

// SendBucketFill returns the longest time that the peer's bucket takes to fill up, at the announced limit.
func (h *Handle) SendBucketFill() time.Duration {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	if h.outbox.pacing == nil {
		return 0
	}
	limit := h.outbox.pacing.limit
	return time.Duration(2 * float64(limit.burst) / (limit.refill() * marginRefill) * float64(time.Second)) // from the largest debt
}

// ShareSendBucket makes the connection use the bucket of its peer, once the peer is verified, in place of its own. The
// tokens that it has used until now are taken from the peer's bucket.
func (h *Handle) ShareSendBucket(shared *SendBucket) {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	p := h.outbox.pacing
	if p == nil || shared == nil || p.bucket == shared {
		return
	}
	used := max(0, h.startTokens(p.limit)-p.bucket.tokens)
	p.bucket = shared
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.tokens -= used
}
