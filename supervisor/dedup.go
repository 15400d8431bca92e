package supervisor

import (
	"io"
	"time"

	"github.com/Snider/go-p2p/supervisor/dedup"
)

// MessageDeduplicator is the set of message ids that a node has seen. See dedup.Set.
type MessageDeduplicator = dedup.Set

// NewMessageDeduplicator returns an empty set that remembers ids for ttl, and at most limit ids in each generation.
// When the set is half full, one peer may hold share of them. The 16-byte secret of the set is read from random.
func NewMessageDeduplicator(
	ttl time.Duration, limit, share int, now time.Time, random io.Reader,
) (*MessageDeduplicator, error) {
	return dedup.New(ttl, limit, share, now, random)
}

// dedupUnlimited is the maximum number of ids if the rate limit is off and gives no bound.
const dedupUnlimited = 8 << 20

// dedupSize returns the number of ids that the rate limits admit within one window, and the share of one peer. A burst
// happens once but counts in both generations. The minimum is one second of messages, because a rotation may be late by
// a second. Shards may have reserved a 64th without using it.
func dedupSize(cfg *TransportConfig) (limit, share int) {
	if cfg.RateRefill == 0 {
		return dedupUnlimited, dedupUnlimited / max(cfg.MaxConns, 2)
	}
	window := max(cfg.DedupTTL, cfg.MaxClockSkew)
	perPeer := max(cfg.RateBurst, cfg.RateRefill) + cfg.RateRefill*window.Seconds()
	share = int(min(perPeer, dedupUnlimited))
	all := int64(share) * int64(cfg.MaxConns) // does not fit a 32-bit int
	return int(min(all+all/64, dedupUnlimited)), share
}

// fitDedup gives the set the size that the limits in force need, or the largest that an open connection needs: its
// bucket may have the rate of an earlier configuration.
func (r *registry) fitDedup() {
	limit, share := dedupSize(r.cfg)
	for _, s := range r.slots {
		if s.limits != nil && s.limits != r.cfg {
			earlier, _ := dedupSize(s.limits)
			limit = max(limit, earlier)
		}
	}
	r.dedup.Resize(limit, share)
}
