package actors

import "time"

// Limiter decides which inbound messages are let in. Safe for concurrent use when connections share one.
type Limiter interface {
	// Take takes one token and reports whether there was one.
	Take(now time.Time) bool
}

// Creditor is a Limiter that credits time in which frames could not be read. Safe for concurrent use when connections
// share one.
type Creditor interface {
	Limiter
	// Credit gives the tokens of the time lost before now, beyond the burst. It is called before Take with the same now.
	Credit(now time.Time, lost time.Duration)
}

// creditLeak is the share of the refill by which unused credit shrinks: a standstill of 8 s is forgotten after 64 s.
const creditLeak = 0.125

// PeerRateLimiter is a token bucket (protocol section 6), of one connection or of all that a peer has at one address: it
// starts full, each frame takes a token, and tokens come back at a steady rate; fractions of a token count. It knows no
// clock and no lock: the caller passes the time and is the only user.
type PeerRateLimiter struct {
	burst  float64 // tokens, at most
	refill float64 // tokens a second; 0 turns the limit off
	tokens float64
	credit float64 // tokens beyond the burst, of time in which nothing could be read
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
	switch {
	case l.tokens >= 1:
		l.tokens--
	case l.credit >= 1:
		l.credit--
	default:
		return false
	}
	return true
}

// SetRate changes burst (tokens) and refill (tokens per second) from now on. Tokens that were spent stay spent: a bucket
// that lacks 5 of its tokens lacks 5 of the new burst.
func (l *PeerRateLimiter) SetRate(burst, refill float64, now time.Time) {
	l.advance(now)
	if refill != l.refill {
		l.credit = 0
	}
	l.tokens = max(0, burst-(l.burst-l.tokens))
	l.burst, l.refill = burst, refill
}

// Full reports whether the bucket holds its whole burst at now, or limits nothing.
func (l *PeerRateLimiter) Full(now time.Time) bool {
	l.advance(now)
	return l.refill <= 0 || l.tokens >= l.burst
}

// Credit advances the bucket to now. Of the time since it was last advanced, up to lost counts beyond the burst: frames
// that the peer sent meanwhile arrive at once. The tokens are used once, after those of the burst, and unused ones shrink
// at an eighth of the refill. Over any length of time the bucket gives no more than burst + time × refill.
func (l *PeerRateLimiter) Credit(now time.Time, lost time.Duration) {
	over := l.tokens + max(now.Sub(l.last), 0).Seconds()*l.refill - l.burst
	l.advance(now)
	l.credit += max(min(over, lost.Seconds()*l.refill), 0)
}

func (l *PeerRateLimiter) advance(now time.Time) {
	if elapsed := now.Sub(l.last); elapsed > 0 {
		l.tokens = min(l.burst, l.tokens+elapsed.Seconds()*l.refill)
		l.credit = max(l.credit-elapsed.Seconds()*l.refill*creditLeak, 0)
		l.last = now
	}
}
