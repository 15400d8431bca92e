package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// liveness holds the signs of life of a peer. It has no clock: each call brings the time. Silence is measured on the
// connection's running clock, pings are due by real time, so that a node that wakes from a standstill pings at once.
type liveness struct {
	lastLife time.Time     // running: the last fresh message
	lastPing time.Time     // real
	pinged   time.Duration // running, since Node.Born: when the last ping went out
	pingID   string        // of the ping that is on its way; empty when it was answered
	ponged   bool          // the peer has answered a ping, so only a pong answers a probe
	peerPing peerPing      // the last of the peer
}

func (l *liveness) begin(now, running time.Time) {
	l.lastLife, l.lastPing = running, now
}

// silent reports whether the peer has been silent for too long on the running clock.
func (l *liveness) silent(running time.Time, limits *Limits) bool {
	return running.Sub(l.lastLife) >= limits.silence()
}

// pingDue reports whether it is time for the next ping.
func (l *liveness) pingDue(now time.Time, limits *Limits) bool {
	return now.Sub(l.lastPing) >= limits.PingInterval
}

// A verdict of a timer that fired more than lateTick late is put off by the time that was lost, maxLateTicks times in a
// row at most, so that a dead peer is closed on a starved machine too.
const (
	lateTick     = 50 * time.Millisecond
	maxLateTicks = 4
)

// running returns now on the connection's running clock: real time without the standstill of the process and without the
// time in which the read pump was held back by the byte budget. Data of the peer may wait unread after both.
func (p *Peer) running(now time.Time) time.Time {
	running := p.node.Running.At(now)
	return running.Add(-p.inbound.held.until(running))
}

// onTimer runs when the timer fires. If it was set for later meanwhile, or the process stood still, it is set again for
// the rest.
func (p *Peer) onTimer(ctx actor.Context) {
	now := time.Now()
	left := p.node.Running.Left(now, p.node.Born.Add(p.due))
	if left <= 0 {
		p.onTick(ctx, -left)
		return
	}
	if p.phase == open && !p.broken && p.mayPing() && p.alive.pingDue(now, &p.node.Limits) {
		p.ping()
	}
	p.timer.Reset(left)
}

// putOff reports whether the verdict of a timer waits because it fired late, and sets the timer again.
func (p *Peer) postpone(late time.Duration) bool {
	if late <= lateTick || p.lateTicks >= maxLateTicks {
		return false
	}
	p.lateTicks++
	p.schedule(late)
	return true
}

// onTick runs at a time that was set, or late: the handshake took too long, a ping is due, or the peer is silent.
func (p *Peer) onTick(ctx actor.Context, late time.Duration) {
	switch p.phase {
	case pending, handshaking, deciding:
		p.onHandshakeTimeout(ctx, late)
		return
	case draining: // the peer has not answered the disconnect
		p.closeGracefully(ctx, p.handle.ended.Load().End)
		return
	case closing:
		p.abort(ctx)
		return
	case open:
	}
	if p.broken {
		p.onWriteEnded(ctx, ErrClosed)
		return
	}
	now := time.Now()
	running := p.running(now)
	p.expireProbe(ctx, running)
	switch verified := p.proof.strength.Verified(); {
	case !verified && running.Sub(p.node.Born) >= p.proof.due:
		if !p.postpone(late) {
			p.node.Counters.Inc(PeersTimedOut)
			p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: reasonUnproven})
		}
		return
	case verified && p.alive.silent(running, &p.node.Limits):
		if !p.postpone(late) {
			p.node.Counters.Inc(PeersTimedOut)
			p.closeGracefully(ctx, End{Code: wire.DisconnectTimeout, Reason: "no sign of life for " + p.node.Limits.silence().String()})
		}
		return
	}
	p.lateTicks = 0
	if p.mayPing() && p.alive.pingDue(now, &p.node.Limits) {
		p.ping()
	}
	p.schedule(p.untilDue(now))
}

// reasonUnproven is the reason of a connection that was closed because its peer proved nothing.
const reasonUnproven = "the peer did not prove in time that it holds its key"

func (p *Peer) onHandshakeTimeout(ctx actor.Context, late time.Duration) {
	if p.postpone(late) {
		return
	}
	if p.direction == Inbound {
		p.node.Counters.Inc(HandshakesRejected)
		p.node.LimitedLog.Warn("handshake not finished", "remote", p.remote, "error", ErrHandshakeTimeout)
	}
	p.fail(ctx, ErrHandshakeTimeout)
}

// mayPing reports whether the peer may get a ping of ours: an unverified one that is known to speak first gets none.
func (p *Peer) mayPing() bool { return p.proof.strength.Verified() || !p.proof.quiet }

// untilDue returns the time until the next thing that the timer is for, at least 1 ms: a ping, the silence limit, the
// end of a probe or of the time for the proof.
func (p *Peer) untilDue(now time.Time) time.Duration {
	running := p.running(now)
	due := p.alive.lastLife.Add(p.node.Limits.silence()).Sub(running)
	if !p.proof.strength.Verified() {
		due = p.proof.due - running.Sub(p.node.Born)
	}
	if p.mayPing() {
		due = min(due, p.alive.lastPing.Add(p.node.Limits.PingInterval).Sub(now))
	}
	if p.probe.asked() {
		due = min(due, p.probe.due.Sub(running))
	}
	return max(due, time.Millisecond)
}

func (l *Limits) silence() time.Duration { return l.PingInterval + l.PongTimeout }

// ping asks for a sign of life (protocol section 5).
func (p *Peer) ping() {
	msg, err := p.compose(wire.MsgPing, wire.PingPayload{SentAt: p.node.Clock().UnixMilli()})
	if err != nil {
		p.node.Log.Error("a ping cannot be encoded", "error", err)
		return
	}
	now := time.Now()
	p.alive.lastPing, p.alive.pinged, p.alive.pingID = now, p.node.Running.At(now).Sub(p.node.Born), msg.ID
	p.send(msg)
}

// mostOwn is how many messages of the connection's own, which are beside the queue's limits, wait at most when there is
// one more pong to send.
const maxOwnQueued = 16

// answerPing returns a pong, but not to a peer that takes less than it asks for.
func (p *Peer) answerPing(ping *wire.Message) {
	if p.handle.outbox.ownWaiting() >= maxOwnQueued {
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
	p.send(msg)
}

// onPong keeps the round-trip time of our own last ping; by our own clock, since the peer's means nothing here.
func (p *Peer) onPong(pong *wire.Message, now time.Time) {
	if pong.ReplyTo == "" || pong.ReplyTo != p.alive.pingID {
		return
	}
	p.alive.pingID, p.alive.ponged = "", true
	took := p.node.Running.At(now).Sub(p.node.Born) - p.alive.pinged
	p.handle.roundTrip.Store(int64(took))
	p.observe(func(o Observer) { o.RoundTrip(took) })
}
