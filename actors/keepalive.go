package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// liveness is what a connection knows of its peer's life. It holds no clock: each call brings the time.
type liveness struct {
	lastLife time.Time // the last fresh message, or a moment at which silence was our own doing
	lastPing time.Time
	pingID   string // of the ping that is on its way; empty when it was answered
}

func (l *liveness) begin(now time.Time) { l.lastLife, l.lastPing = now, now }

// silent reports whether the peer has been silent for too long.
func (l *liveness) silent(now time.Time, limits *Limits) bool {
	return now.Sub(l.lastLife) >= limits.PingInterval+limits.PongTimeout
}

// pingDue reports whether it is time for the next ping.
func (l *liveness) pingDue(now time.Time, limits *Limits) bool {
	return now.Sub(l.lastPing) >= limits.PingInterval
}

// next is how long until something is due.
func (l *liveness) next(now time.Time, limits *Limits) time.Duration {
	ping := l.lastPing.Add(limits.PingInterval)
	end := l.lastLife.Add(limits.PingInterval + limits.PongTimeout)
	if end.Before(ping) {
		ping = end
	}
	return max(ping.Sub(now), time.Millisecond)
}

// onTick runs when the timer fires: the handshake took too long, a ping is due, or the peer is silent.
func (p *Peer) onTick(ctx actor.Context) {
	now := time.Now()
	switch p.phase {
	case pending, shaking, judged:
		if p.direction == Inbound {
			p.node.Counters.Inc(HandshakesRejected)
			p.node.Samples.Warn("handshake not finished", "remote", p.remote, "error", ErrHandshakeTimeout)
		}
		p.fail(ctx, ErrHandshakeTimeout)
		return
	case closing:
		p.abandon(ctx)
		return
	case open:
	}
	if p.broken {
		p.onWriteEnded(ctx, ErrClosed)
		return
	}
	if p.inbound.full() {
		p.alive.lastLife = now // we do not read, so its silence proves nothing
	}
	if p.alive.silent(now, &p.node.Limits) {
		p.node.Counters.Inc(PeersTimedOut)
		p.goodbye(ctx, End{Code: wire.DisconnectIdleTimeout, Reason: "no sign of life for " + p.node.Limits.silence().String()})
		return
	}
	if p.alive.pingDue(now, &p.node.Limits) {
		p.ping()
	}
	p.schedule(p.alive.next(now, &p.node.Limits))
}

func (l *Limits) silence() time.Duration { return l.PingInterval + l.PongTimeout }

// ping asks for a sign of life (protocol section 5).
func (p *Peer) ping() {
	msg, err := p.compose(wire.MsgPing, wire.PingPayload{SentAt: p.node.Clock().UnixMilli()})
	if err != nil {
		p.node.Log.Error("a ping cannot be encoded", "error", err)
		return
	}
	p.alive.lastPing, p.alive.pingID = time.Now(), msg.ID
	p.say(msg)
}

// mostOwn is how many messages of the connection's own, which are beside the queue's limits, wait at most when there is
// one more pong to send.
const mostOwn = 16

// answerPing returns a pong, but not to a peer that takes less than it asks for.
func (p *Peer) answerPing(ping *wire.Message) {
	if p.handle.outbox.ownWaiting() >= mostOwn {
		return
	}
	var sent wire.PingPayload
	if err := ping.ParsePayload(&sent); err != nil {
		sent.SentAt = 0 // a pong is due all the same
	}
	msg, err := p.compose(wire.MsgPong, wire.PongPayload{SentAt: sent.SentAt, ReceivedAt: p.node.Clock().UnixMilli()})
	if err != nil {
		p.node.Log.Error("a pong cannot be encoded", "error", err)
		return
	}
	msg.ReplyTo = ping.ID
	p.say(msg)
}

// onPong keeps the round-trip time of our own last ping; by our own clock, since the peer's means nothing here.
func (p *Peer) onPong(pong *wire.Message, now time.Time) {
	if pong.ReplyTo == "" || pong.ReplyTo != p.alive.pingID {
		return
	}
	p.alive.pingID = ""
	took := now.Sub(p.alive.lastPing)
	p.handle.roundTrip.Store(int64(took))
	p.node.observeRoundTrip(took)
}
