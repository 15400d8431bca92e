package supervisor

import (
	"cmp"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// refusal is why a connection gets no place; empty: it gets one.
type refusal string

const (
	admitted        refusal = ""
	refusedStopping refusal = "the node is stopping"
	refusedFull     refusal = "no free connection"
	refusedLagging  refusal = "handlers are behind: messages and events of too many ended connections wait for them"
	refusedAddress  refusal = "too many connections from this address"
)

// occupancy is what admission looks at.
type occupancy struct {
	stopping   bool
	conns      int // every place, pending ones included
	perAddress int // inbound places of the same address group
	lagging    int // ended connections whose messages and events wait for handlers
}

// minBehind is how many ended connections may wait for handlers however small MaxConns is.
const minLagging = 64

// maxLagging returns how many ended connections may wait for handlers. What they hold is bounded by that: without a bound
// strangers would fill the memory of a node whose handlers block, or whose standard output is not read.
func maxLagging(cfg *TransportConfig) int { return max(minLagging, cfg.MaxConns) }

// admit decides whether one more connection gets a place. limited says that the address counts.
func admit(o occupancy, cfg *TransportConfig, limited bool) refusal {
	switch {
	case o.stopping:
		return refusedStopping
	case limited && cfg.MaxConnsPerAddress > 0 && o.perAddress >= cfg.MaxConnsPerAddress:
		return refusedAddress // even when it is full, too: nobody makes room for it
	case o.lagging >= maxLagging(cfg):
		return refusedLagging
	case o.conns >= cfg.MaxConns:
		return refusedFull
	default:
		return admitted
	}
}

// handshake is an inbound place whose peer has not been let in yet, by what decides who of them makes room.
type handshake struct {
	closing    bool      // it is only closing
	perAddress int       // how many there are of its address, the one that needs room included
	born       time.Time // when it got its place
}

// compare puts first who makes room first: one that is refused already, then one of the address that has most of them, so
// that no address drives out one that has fewer, then the oldest.
func (a handshake) compare(b handshake) int {
	if a.closing != b.closing {
		if a.closing {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.perAddress, a.perAddress), a.born.Compare(b.born))
}

// credentials are what the registry knows of a peer that has shown who it claims to be.
type credentials struct {
	self       bool // it is this node's own key
	reflected  bool // its challenge is one that we have sent out ourselves
	authorized bool // by allowlist and revocation
	listed     bool // it is on the allowlist
	unlisted   int  // open connections of peers that are not on it
}

// judgePeer decides whether an identified peer may stay; what it returns is the reason on the wire.
func judgePeer(c credentials, cfg *TransportConfig) refusal {
	switch {
	case c.self, c.reflected:
		return "invalid handshake"
	case !c.authorized:
		return wire.ReasonNotAuthorized
	case !c.listed && c.unlisted >= cfg.MaxConns-cfg.ReservedConns:
		return refusedFull
	default:
		return admitted
	}
}

// challenge is what an initiator sends.
type challenge = [crypto.ChallengeSize]byte
