package cluster

import (
	"encoding/binary"
	"math"
	"time"
)

// A peer has one token bucket. With the verdict about another member's claim, or with the release, its home names the
// tokens that are left. The next home continues with them.

const (
	maxTokens  = 1 << 14         // peers whose tokens are kept
	keepTokens = 5 * time.Minute // buckets are full again long before
)

// tokens are those left in a bucket at a moment.
type tokens struct {
	left float64
	at   time.Time
}

// release is a peer that its home has released, with the tokens left in its bucket; negative: unknown.
type release struct {
	peer   string
	tokens float64
}

// noteTokens keeps the tokens of a released peer for its next home.
func (c *coordinator) noteTokens(peer string, left float64, now time.Time) {
	if left < 0 || len(c.tokens) >= maxTokens {
		delete(c.tokens, peer)
		return
	}
	c.tokens[peer] = tokens{left, now}
}

// tokensOf returns the tokens that the last home of a peer has left, and since when. It forgets them. They are negative
// if they are unknown.
func (c *coordinator) tokensOf(peer string, now time.Time) (left float64, age time.Duration) {
	kept, known := c.tokens[peer]
	if !known {
		return -1, 0
	}
	delete(c.tokens, peer)
	return kept.left, now.Sub(kept.at)
}

// expireTokens forgets old tokens.
func (c *coordinator) expireTokens(now time.Time) {
	for peer, kept := range c.tokens {
		if now.Sub(kept.at) > keepTokens {
			delete(c.tokens, peer)
		}
	}
}

func appendReleases(b []byte, list []release) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, r := range list {
		b = binary.BigEndian.AppendUint64(appendText(b, r.peer), math.Float64bits(r.tokens))
	}
	return b
}

func (r *reader) releases(limit uint64) []release {
	n := r.count(limit)
	list := make([]release, 0, n)
	for range n {
		list = append(list, release{r.text(maxPeerID), r.tokens()})
	}
	return list
}
