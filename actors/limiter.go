package actors

import "time"

// Limiter admits or refuses inbound messages. It must be safe for concurrent use if connections share it.
type Limiter interface {
	// Take takes one token. It returns false if there is none.
	Take(now time.Time) bool
	// TakeSome takes n tokens, or as many as there are, and returns their number.
	TakeSome(now time.Time, n int) int
	// Credit adds the tokens of the time before now in which no frame could be read, beyond the burst. Take follows with
	// the same now.
	Credit(now time.Time, lost time.Duration)
	// Until returns the time until Take succeeds, if no other connection takes the token before.
	Until(now time.Time) time.Duration
}

// creditLeak is the share of the refill by which unused credit shrinks: the credit for 8 s is gone after 64 s.
const creditLeak = 0.125

// PeerRateLimiter is a token bucket (protocol section 6) for one connection or for all connections of a peer from one
// address. It starts full; each frame takes a token; tokens return at a constant rate, in fractions. It has no clock
// and no lock: the caller passes the time. Not safe for concurrent use.
type PeerRateLimiter struct {
	burst  float64 // tokens, the maximum
	refill float64 // tokens per second; 0: no limit
	tokens float64
	credit float64 // tokens beyond the burst, for time in which nothing could be read
	last   time.Time
}

// NewPeerRateLimiter returns a full bucket of burst tokens with a refill in tokens per second. A refill of 0 admits
// all frames.
func NewPeerRateLimiter(burst, refill float64, now time.Time) *PeerRateLimiter {
	return &PeerRateLimiter{burst: burst, refill: refill, tokens: burst, last: now}
}

// Take takes one token. It returns false if there is none.
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

// TakeSome takes n tokens, or as many as there are, and returns their number.
func (l *PeerRateLimiter) TakeSome(now time.Time, n int) int {
	for i := range n {
		if !l.Take(now) {
			return i
		}
	}
	return n
}

// Until returns the time until Take succeeds; 0 if it does now.
func (l *PeerRateLimiter) Until(now time.Time) time.Duration {
	if l.refill <= 0 {
		return 0
	}
	l.advance(now)
	if l.tokens >= 1 || l.credit >= 1 {
		return 0
	}
	return time.Duration((1-l.tokens)/l.refill*float64(time.Second)) + 1 // rounded up
}

// SetRate changes burst (tokens) and refill (tokens per second) from now on. Spent tokens stay spent: a bucket that
// lacks 5 tokens of the old burst lacks 5 tokens of the new one.
func (l *PeerRateLimiter) SetRate(burst, refill float64, now time.Time) {
	l.advance(now)
	if refill != l.refill {
		l.credit = 0
	}
	l.tokens = max(0, burst-(l.burst-l.tokens))
	l.burst, l.refill = burst, refill
}

// Full reports whether the bucket holds its whole burst at now, or has no limit.
func (l *PeerRateLimiter) Full(now time.Time) bool {
	l.advance(now)
	return l.refill <= 0 || l.tokens >= l.burst
}

// Credit advances the bucket to now. Up to lost of the time since the last advance counts beyond the burst, because
// the frames that the peer sent meanwhile arrive at once. Credit is used once, after the burst, and shrinks by an
// eighth of the refill. Over any time the bucket admits at most burst + time × refill.
//
//	burst 5, refill 1/s, bucket full; the process stands still for 8 s
//	Credit(now, 8 s)    tokens 5, credit 8: the 8 frames of that time and a burst of 5 pass
//	1 s later           credit 7.875
func (l *PeerRateLimiter) Credit(now time.Time, lost time.Duration) {
	over := l.tokens + max(now.Sub(l.last), 0).Seconds()*l.refill - l.burst
	l.advance(now)
	l.credit += max(min(over, lost.Seconds()*l.refill), 0)
}

// Tokens returns the tokens in the bucket, without credit.
func (l *PeerRateLimiter) Tokens(now time.Time) float64 {
	l.advance(now)
	return l.tokens
}

// Limit removes credit, and tokens beyond the given number.
func (l *PeerRateLimiter) Limit(tokens float64, now time.Time) {
	l.advance(now)
	l.tokens, l.credit = max(min(l.tokens, tokens), 0), 0
}

func (l *PeerRateLimiter) advance(now time.Time) {
	if elapsed := now.Sub(l.last); elapsed > 0 {
		l.tokens = min(l.burst, l.tokens+elapsed.Seconds()*l.refill)
		l.credit = max(l.credit-elapsed.Seconds()*l.refill*creditLeak, 0)
		l.last = now
	}
}
