package supervisor

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// PacingMode selects whether outbound messages wait for the rate limit that the receiver announces.
type PacingMode int

// The pacing modes.
const (
	// PacingOn makes application messages wait in the outbound queue until the peer's announced limit admits them. Without
	// an announcement the limit is a burst of 100 messages and 50 per second. The default.
	PacingOn PacingMode = iota
	// PacingOff sends at once and counts the messages above the limit in messagesOverPeerRate.
	PacingOff
)

// ParsePacingMode returns the mode with this name, "on" or "off".
func ParsePacingMode(name string) (PacingMode, error) {
	switch name {
	case "on":
		return PacingOn, nil
	case "off":
		return PacingOff, nil
	}
	return 0, fmt.Errorf("%q is not a pacing mode: use on or off", name)
}

// String returns "on" or "off".
func (m PacingMode) String() string {
	if m == PacingOff {
		return "off"
	}
	return "on"
}

// idleSendBucket is the send bucket of a peer without a verified connection, kept for its next one.
type idleSendBucket struct {
	bucket *actors.SendBucket
	fullAt time.Time // afterwards it equals a new bucket
	bound  bool      // used by bound connections
}

// shareSendBucket gives a connection that became verified the send bucket of its peer: that of another verified
// connection, or else the idle one. If there is neither, the connection's own bucket becomes the peer's. A connection
// verified only by an ack keeps its own, because a relay may have changed the limit in the ack. Unmarked and bound
// connections share none.
func (r *registry) shareSendBucket(s *slot) {
	if !s.rank.framed {
		return
	}
	id := s.conn.peer.ID
	idle, found := r.sendBuckets[id]
	if found = found && idle.bound == s.rank.isBound(); found {
		delete(r.sendBuckets, id)
	}
	for _, other := range r.peers[id] {
		if other == s || !other.rank.framed || other.rank.isBound() != s.rank.isBound() {
			continue
		}
		if bucket := other.conn.handle.SendBucket(); bucket != nil {
			s.conn.handle.ShareSendBucket(bucket)
			return
		}
	}
	if found {
		s.conn.handle.ShareSendBucket(idle.bucket)
	}
}

// keepSendBucket stores the bucket of a verified connection that ends, until it is full, so that the next connection
// does not start with a full one.
func (r *registry) keepSendBucket(s *slot) {
	bucket := s.conn.handle.SendBucket()
	if bucket == nil || !s.rank.framed {
		return
	}
	now := time.Now()
	fullAt := now.Add(s.conn.handle.SendBucketFill())
	r.sendBuckets.keep(s.conn.peer.ID, idleSendBucket{bucket: bucket, fullAt: fullAt, bound: s.rank.isBound()}, now)
}
