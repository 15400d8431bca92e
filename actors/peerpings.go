package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// peerPing is the last ping that the peer sent.
type peerPing struct {
	at    time.Duration // since Node.Born; 0: none
	stamp int64         // by the peer's clock, Unix nanoseconds
}

// notePeerPing measures the interval of the peer's pings. It uses the peer's clock if that shows more: pings that
// waited during a standstill of this process arrive together.
func (p *connection) notePeerPing(ctx actor.Context, ping *wire.Message, now time.Time) {
	last := p.alive.peerPing
	next := peerPing{at: max(now.Sub(p.node.Born), 1), stamp: ping.Timestamp.UnixNano()}
	p.alive.peerPing = next
	if last.at == 0 {
		return
	}
	distance := max(next.at-last.at, time.Duration(next.stamp-last.stamp))
	if p.handle.peerPings.Swap(int64(distance)) == 0 {
		ctx.Send(p.parent, &PeerPings{PID: p.handle.pid})
	}
}

// PeerPingInterval returns the time between the last two pings of the peer on this connection; 0 before the second.
// Safe for concurrent use.
func (h *Handle) PeerPingInterval() time.Duration { return time.Duration(h.peerPings.Load()) }
