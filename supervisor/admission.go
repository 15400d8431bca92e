package supervisor

import (
	"cmp"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// refusal is the reason why a connection gets no slot; empty: it is admitted.
type refusal string

const (
	admitted        refusal = ""
	refusedStopping refusal = "the node is stopping"
	refusedFull     refusal = "no free connection"
	refusedLagging  refusal = "handlers are behind: too many ended connections have undelivered messages or events"
	refusedAddress  refusal = "too many connections from this address"
	refusedRate     refusal = "too many new connections from this address in a short time"
)

// occupancy holds the counts that admit checks.
type occupancy struct {
	stopping   bool
	conns      int // all slots, handshakes included
	perAddress int // inbound slots of the same address group
	lagging    int // ended connections with undelivered messages or events

	exhausted bool // the address group has used up its rate of new connections

	cluster refusal // by the limits of the cluster
}

// minLagging is the smallest limit of lagging connections, for a small MaxConns.
const minLagging = 64

// maxLagging returns the maximum number of ended connections with undelivered messages or events. Without this limit,
// attackers could fill the memory of a node whose handlers block, or whose standard output is not read.
func maxLagging(cfg *TransportConfig) int { return max(minLagging, cfg.MaxConns) }

// admit decides whether a connection gets a slot. limited enables the limits per address.
func admit(o occupancy, cfg *TransportConfig, limited bool) refusal {
	switch {
	case o.stopping:
		return refusedStopping
	case limited && cfg.MaxConnsPerAddress > 0 && o.perAddress >= cfg.MaxConnsPerAddress:
		return refusedAddress // checked before refusedFull: such a connection must not evict another
	case limited && cfg.MaxConnsPerAddress > 0 && o.exhausted:
		return refusedRate
	case o.lagging >= maxLagging(cfg):
		return refusedLagging
	case o.cluster != admitted:
		return o.cluster
	case o.conns >= cfg.MaxConns:
		return refusedFull
	default:
		return admitted
	}
}

// handshake describes an inbound connection that is still in its handshake, for the choice of a victim.
type handshake struct {
	closing    bool      // already refused or closing
	perAddress int       // handshakes of the same address group, the waiting one included
	born       time.Time // creation of the slot
}

// compare orders the victims: first a closing one, then one of the address group with the most handshakes, so that no
// address evicts one with fewer, then the oldest.
func (a handshake) compare(b handshake) int {
	if a.closing != b.closing {
		if a.closing {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.perAddress, a.perAddress), a.born.Compare(b.born))
}

// credentials hold the inputs of judgePeer.
type credentials struct {
	self       bool // it is this node's own key
	reflected  bool // this node has sent the challenge itself
	authorized bool // by auth mode, allowlist and revocation
	suspended  bool // the operator has disconnected it for a time
	listed     bool // it is on the allowlist
	unlisted   int  // open connections of peers off the allowlist
	session    bool // it offers a session, or has accepted that of this node
}

// judgePeer decides whether an identified peer is admitted. The refusal is also the reason sent to the peer.
func judgePeer(c credentials, cfg *TransportConfig) refusal {
	switch {
	case c.self, c.reflected:
		return wire.ReasonInvalidHandshake
	case !c.authorized:
		return wire.ReasonNotAuthorized
	case c.suspended:
		return refusedSuspended
	case !c.session && cfg.Session == SessionRequire:
		return refusedSession
	case !c.listed && c.unlisted >= cfg.MaxConns-cfg.ReservedConns:
		return refusedFull
	default:
		return admitted
	}
}

// challenge is the challenge of an initiator.
type challenge = [crypto.ChallengeSize]byte
