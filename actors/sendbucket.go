package actors

import (
	"sync"
	"time"
)

// The margin below the peer's announced limit. It covers pings, and clocks that run at different speeds.
const (
	marginTokens = 1    // application messages leave this many in the bucket
	marginRefill = 0.98 // used share of the announced refill
)

// tokenError is the tolerated rounding error in comparisons of tokens.
const tokenError = 1e-6

// SendBucket models the token bucket in which a peer counts this node's frames. All connections of a verified peer
// share one, and it outlives them; an unverified connection has its own. Each connection applies the limit that was
// announced on it. Safe for concurrent use.
type SendBucket struct {
	mu     sync.Mutex
	tokens float64       // negative if pings and pongs exceeded the limit
	at     time.Duration // when tokens was computed, since Node.Born
}

// sendLimit is an announced limit in a compact form, since every connection holds one.
type sendLimit struct {
	burst int32 // tokens
	milli int32 // thousandths of a token per second
}

func (l sendLimit) refill() float64 { return float64(l.milli) / 1000 }

// advance adds the tokens of the time since the last call; share is the used part of the refill. The caller holds mu.
func (b *SendBucket) advance(limit sendLimit, share float64, now time.Duration) {
	if now <= b.at {
		return
	}
	b.tokens = min(float64(limit.burst), b.tokens+(now-b.at).Seconds()*limit.refill()*share)
	b.at = now
}

// take takes a token if at least spare tokens remain. The caller holds mu.
func (b *SendBucket) take(spare float64) bool {
	if b.tokens < 1+spare-tokenError {
		return false
	}
	b.tokens--
	return true
}

// owe charges a frame that ignores the limit. The debt is at most one burst. The caller holds mu.
func (b *SendBucket) owe(limit sendLimit) { b.tokens = max(b.tokens-1, -float64(limit.burst)) }

// wait returns the time until an application message gets a token. The caller holds mu.
func (b *SendBucket) wait(limit sendLimit) time.Duration {
	missing := 1 + marginTokens - b.tokens
	return time.Duration(missing/(limit.refill()*marginRefill)*float64(time.Second)) + 1 // rounded up
}

// SendBucket returns the connection's model of its peer's inbound limiter, or nil if the peer announced no limit.
func (h *Handle) SendBucket() *SendBucket {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	if h.outbox.pacing == nil {
		return nil
	}
	return h.outbox.pacing.bucket
}

// SendBucketFill returns the time in which the peer's bucket fills up from the largest debt, at the announced limit.
func (h *Handle) SendBucketFill() time.Duration {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	if h.outbox.pacing == nil {
		return 0
	}
	limit := h.outbox.pacing.limit
	tokens := 2 * float64(limit.burst) // one burst for the debt, one for the bucket
	return time.Duration(tokens / (limit.refill() * marginRefill) * float64(time.Second))
}

// ShareSendBucket replaces the connection's own bucket with that of its verified peer. The tokens that the connection
// has used are taken from the shared bucket.
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
