package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// PeerPings says, once for a connection, that the interval of the peer's pings is known: Handle.PeerPingInterval.
type PeerPings struct{ PID *actor.PID }

func (*PeerPings) toRegistry() {}

// peerPing is the last ping that the peer sent.
type peerPing struct {
	came  time.Time
	stamp time.Time // by the peer's clock
}

// notePeerPing observes the interval of the peer's pings. The peer's clock counts where it shows more: pings that waited
// during a standstill of ours arrive together.
func (p *Peer) notePeerPing(ctx actor.Context, ping *wire.Message, now time.Time) {
	last := p.alive.peerPing
	p.alive.peerPing = peerPing{came: now, stamp: ping.Timestamp}
	if last.came.IsZero() {
		return
	}
	distance := max(now.Sub(last.came), ping.Timestamp.Sub(last.stamp))
	if p.handle.peerPings.Swap(int64(distance)) == 0 {
		ctx.Send(p.parent, &PeerPings{PID: p.handle.pid})
	}
}

// PeerPingInterval returns the distance between the last two pings of the peer on this connection; 0 before the second.
// Safe for concurrent use.
func (h *Handle) PeerPingInterval() time.Duration { return time.Duration(h.peerPings.Load()) }
