package actors

import "time"

// PeerRateLimiter is the token bucket of one connection (protocol section 6): it starts full, each frame takes a
// token, and tokens come back at a steady rate; fractions of a token count. It knows no clock and no lock: the
// caller passes the time and is the only user.
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

// Tokens returns what the bucket holds now.
func (l *PeerRateLimiter) Tokens(now time.Time) float64 {
	l.advance(now)
	return l.tokens
}

// Drain lowers the bucket to at most tokens: what the peer had left on its last connection.
func (l *PeerRateLimiter) Drain(tokens float64) { l.tokens = min(l.tokens, tokens) }

func (l *PeerRateLimiter) advance(now time.Time) {
	if elapsed := now.Sub(l.last); elapsed > 0 {
		l.tokens = min(l.burst, l.tokens+elapsed.Seconds()*l.refill)
		l.last = now
	}
}
