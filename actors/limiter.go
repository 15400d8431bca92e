package actors

import "time"

// Limiter decides which inbound messages are let in. Safe for concurrent use when connections share one.
type Limiter interface {
	// Take takes one token and reports whether there was one.
	Take(now time.Time) bool
}

// PeerRateLimiter is a token bucket (protocol section 6), of one connection or of all that a peer has at one address: it
// starts full, each frame takes a token, and tokens come back at a steady rate; fractions of a token count. It knows no
// clock and no lock: the caller passes the time and is the only user.
type PeerRateLimiter struct {
	burst  float64 // tokens, at most
	refill float64 // tokens a second; 0 turns the limit off
	tokens float64
	last   time.Time
}

// NewPeerRateLimiter returns a full bucket of burst tokens that refills at refill tokens a second from now on.
// A refill of 0 lets everything pass.
func NewPeerRateLimiter(burst, refill float64, now time.Time) *PeerRateLimiter {
	return &PeerRateLimiter{burst: burst, refill: refill, tokens: burst, last: now}
}

// Take takes one token and reports whether there was one.
func (l *PeerRateLimiter) Take(now time.Time) bool {
	if l.refill <= 0 {
		return true
	}
	l.advance(now)
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// SetRate changes burst (tokens) and refill (tokens per second) from now on. Tokens that were spent stay spent: a bucket
// that lacks 5 of its tokens lacks 5 of the new burst.
func (l *PeerRateLimiter) SetRate(burst, refill float64, now time.Time) {
	l.advance(now)
	l.tokens = max(0, burst-(l.burst-l.tokens))
	l.burst, l.refill = burst, refill
}

// Full reports whether the bucket holds its whole burst at now, or limits nothing.
func (l *PeerRateLimiter) Full(now time.Time) bool {
	l.advance(now)
	return l.refill <= 0 || l.tokens >= l.burst
}

func (l *PeerRateLimiter) advance(now time.Time) {
	if elapsed := now.Sub(l.last); elapsed > 0 {
		l.tokens = min(l.burst, l.tokens+elapsed.Seconds()*l.refill)
		l.last = now
	}
}
