package supervisor

import (
	"io"
	"time"

	"github.com/Snider/go-p2p/supervisor/dedup"
)

// MessageDeduplicator is the set of message ids that a node has seen. See package dedup.
type MessageDeduplicator = dedup.Set

// NewMessageDeduplicator returns an empty set that remembers for ttl, at most limit ids in each generation. Once the
// set is half full, a peer gets share of them. The set's secret, 16 bytes, is read from random.
func NewMessageDeduplicator(
	ttl time.Duration, limit, share int, now time.Time, random io.Reader,
) (*MessageDeduplicator, error) {
	return dedup.New(ttl, limit, share, now, random)
}

// dedupUnlimited is the limit of ids when the rate limit is off, so that none follows from the rate.
const dedupUnlimited = 8 << 20

// dedupSize returns the number of ids that the limits let in within one window, and one peer's share of them. A burst
// happens once but counts in both generations. It stands for at least a second's messages, because a rotation may be
// late by a second. Shards may have reserved a 64th without using it.
func dedupSize(cfg *TransportConfig) (limit, share int) {
	if cfg.RateRefill == 0 {
		return dedupUnlimited, dedupUnlimited / max(cfg.MaxConns, 2)
	}
	window := max(cfg.DedupTTL, cfg.MaxClockSkew)
	perPeer := max(cfg.RateBurst, cfg.RateRefill) + cfg.RateRefill*window.Seconds()
	share = int(min(perPeer, dedupUnlimited))
	all := int64(share) * int64(cfg.MaxConns) // exceeds an int of 32 bits
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
