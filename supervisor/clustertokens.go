package supervisor

import "time"

// tokensOf returns the tokens left in the bucket of a connection, which may be nil, for the peer's next home. They are
// negative if there is no bucket.
func (r *registry) tokensOf(s *slot) float64 {
	if s == nil {
		return -1
	}
	b := r.buckets[s.bucket]
	if b == nil {
		return -1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limiter.Tokens(time.Now())
}

// left returns the tokens of a verdict now. They may exceed the burst.
func (r *registry) left(v ClaimVerdict) float64 {
	if v.Tokens < 0 {
		return -1
	}
	return v.Tokens + v.Age.Seconds()*r.cfg.RateRefill
}

// takeOverTokens limits the bucket of a connection to the tokens that the peer's previous home has left.
func (r *registry) takeOverTokens(s *slot, v ClaimVerdict) {
	b := r.buckets[s.bucket]
	if left := r.left(v); left >= 0 && b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.limiter.Limit(left, time.Now())
	}
}
