package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/wire"
)

// memberDedup is one connection's access to the sets of seen messages of all members. It implements actors.Checker.
type memberDedup struct {
	*dedup.Account
	cluster  Cluster
	peer     string         // node ID
	author   *ClusterAuthor // the peer
	counters *actors.Counters
}

var _ actors.Checker = (*memberDedup)(nil)

// query is the question about one message.
type query struct {
	SeenCheck
	verified bool // the connection
}

// deduplicator returns the access of a new connection to the set of seen messages.
func (r *registry) deduplicator(s *slot) actors.Deduplicator {
	if r.cluster == nil {
		return s.dedup
	}
	peer := s.conn.peer.ID
	return &memberDedup{
		Account: s.dedup, cluster: r.cluster, peer: peer, author: r.cluster.Author(peer), counters: r.node.Counters,
	}
}

// dropAuthor ends the use of deduplicator.
func (r *registry) dropAuthor(s *slot) {
	if r.cluster != nil {
		r.cluster.DropAuthor(s.conn.peer.ID)
	}
}

// maxAuthor is the length in bytes to which the author of a message is cut. Node IDs are shorter.
const maxAuthor = 64

// unpaid is the query about a message on a connection that only receives: the peer's home must take a token for it
// before the message is judged.
type unpaid struct{ origin actors.Origin }

const (
	checkWithin = 250 * time.Millisecond // for all questions about a message
	payWithin   = checkWithin / 2        // for its token: the author's home may answer though the peer's does not
)

// Judge implements actors.Checker.
func (d *memberDedup) Judge(msg *wire.Message, o actors.Origin, now time.Time) (actors.Verdict, *actors.Check) {
	if o.Verified && d.author.Elsewhere() {
		return actors.Fresh, &actors.Check{Message: msg, Query: &unpaid{o}}
	}
	return d.judge(msg, o, now)
}

// judge is Judge for a message with a token. A message of the peer itself that needs no check takes no lock of the
// cluster.
func (d *memberDedup) judge(msg *wire.Message, o actors.Origin, now time.Time) (actors.Verdict, *actors.Check) {
	stamp := msg.Timestamp.Add(-o.Ahead)
	if o.Own && d.author.Settled(stamp) {
		return d.here(msg, o, now), nil
	}
	author := msg.From[:min(len(msg.From), maxAuthor)]
	rule := d.cluster.Judge(author, stamp, o.Unclocked)
	if rule == SeenHere {
		return d.here(msg, o, now), nil
	}
	q := &query{
		SeenCheck{Author: author, Stamp: stamp, Adjusted: o.Unclocked, Digest: d.Digest(msg, now)}, o.Verified,
	}
	verdict := d.KnownDigest(q.Digest, now)
	switch {
	case verdict == actors.Fresh && rule == SeenStale:
		return actors.Stale, nil
	case verdict == actors.Fresh && rule == SeenHereThen && o.Verified:
		verdict, q.Here = d.here(msg, o, now), true
	}
	if verdict != actors.Fresh {
		return verdict, nil
	}
	return verdict, &actors.Check{Message: msg, Query: q}
}

// here returns the verdict of this member's set. It enters a fresh message of a verified connection.
func (d *memberDedup) here(msg *wire.Message, o actors.Origin, now time.Time) actors.Verdict {
	if !o.Verified {
		if verdict := d.Known(msg, now); verdict != actors.Fresh {
			return verdict
		}
	}
	if o.Unclocked {
		return d.SeenInSession(msg, 0, now)
	}
	return d.Seen(msg, now)
}

// Ask implements actors.Checker. A message about which a member did not answer is delivered if the connection is
// verified: then this member's set decides.
func (d *memberDedup) Ask(checks []*actors.Check) {
	began := time.Now()
	checks = d.pay(checks, began.Add(payWithin))
	asked := make([]*SeenCheck, len(checks))
	for i, c := range checks {
		asked[i] = &c.Query.(*query).SeenCheck
	}
	d.counters.Add(actors.ClusterChecks, len(checks))
	d.cluster.CheckSeen(asked, began.Add(checkWithin))
	now := time.Now()
	for _, c := range checks {
		c.Verdict = d.conclude(c.Query.(*query), now)
	}
}

// pay takes a token of the peer's home for each message that is unpaid, and judges it. It sets the verdicts that are
// known then, and returns the checks of the other messages.
func (d *memberDedup) pay(checks []*actors.Check, until time.Time) []*actors.Check {
	needed := 0
	for _, c := range checks {
		if _, is := c.Query.(*unpaid); is {
			needed++
		}
	}
	if needed == 0 {
		return checks
	}
	tokens, now := d.cluster.TakeTokens(d.peer, needed, until), time.Now()
	return slices.DeleteFunc(checks, func(c *actors.Check) bool {
		u, is := c.Query.(*unpaid)
		if !is {
			return false
		}
		if tokens--; tokens < 0 {
			c.Verdict = actors.OverRate
			return true
		}
		verdict, check := d.judge(c.Message, u.origin, now)
		if check == nil {
			c.Verdict = verdict
			return true
		}
		c.Query = check.Query
		return false
	})
}

// conclude returns the verdict about a message from the answers of the other members.
func (d *memberDedup) conclude(q *query, now time.Time) actors.Verdict {
	verdict := q.Verdict
	if verdict == actors.Unanswered && q.verified {
		d.counters.Inc(actors.ClusterUnchecked)
		verdict = actors.Fresh
	}
	if q.Here || !q.verified || verdict != actors.Fresh {
		return verdict
	}
	// Only now: while two members receive copies, each may ask the other as a former home.
	return d.SeenDigest(q.Digest, now)
}

// shareDedup gives the set of seen messages the secret that all members of the node have.
func (t *Transport) shareDedup(keys *crypto.NodeManager) error {
	if t.opts.cluster == nil {
		return nil
	}
	key, err := keys.ClusterKey("dedup", nil)
	if err != nil {
		return fmt.Errorf("the set of seen messages: %w", err)
	}
	return t.dedup.ShareSecret(key[:])
}

// Seen implements ClusterLocal.
func (l clusterLocal) Seen(member string, d dedup.Digest) actors.Verdict {
	return l.t.dedup.Member(member).SeenDigest(d, time.Now())
}

// TakeToken implements ClusterLocal.
func (l clusterLocal) TakeToken(peer string) bool {
	conn := l.t.routes.get(peer)
	if conn == nil {
		return true
	}
	b := conn.bucket.Load()
	return b == nil || b.Take(time.Now())
}

// SeenWindow implements ClusterLocal.
func (l clusterLocal) SeenWindow() time.Duration { return l.t.dedup.Window() }

// Clock implements ClusterLocal.
func (l clusterLocal) Clock() time.Time { return l.t.node.Clock() }

// ExportSeen implements ClusterLocal.
func (l clusterLocal) ExportSeen(page func([]byte) bool) { l.t.dedup.Export(time.Now())(page) }

// ImportSeen implements ClusterLocal.
func (l clusterLocal) ImportSeen(member string, page []byte) bool {
	return l.t.dedup.Import(member, page, time.Now())
}
