package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/wire"
)

// liveness holds the signs of life of a peer. It has no clock: each call passes the time. Silence is measured on the
// connection's running clock. Pings are due in real time, so that a node pings at once after a standstill.
type liveness struct {
	lastLife time.Time     // running clock: the last fresh message
	lastPing time.Time     // real time
	pinged   time.Duration // running clock, since Node.Born: the last ping was sent
	pingID   pingID        // of the unanswered ping; zero if answered
	ponged   bool          // the peer has sent a pong, so that only pongs answer probes
	peerPing peerPing      // the peer's last
}

// pingID is the ID of a ping of this node, as the bytes of a UUID: the text would retain the texts of 16 IDs. The zero
// value is no ID.
type pingID [16]byte

func newPingID(ping *wire.Message) pingID {
	id, _ := wire.ParseUUID(ping.ID) // NewMessage makes no other ID
	return id
}

// answeredBy reports whether replyTo, of a pong, is the ID. The zero ID is not answered.
func (id pingID) answeredBy(replyTo string) bool {
	got, ok := wire.ParseUUID(replyTo)
	return ok && got == id && id != pingID{}
}

func (l *liveness) begin(now, running time.Time) {
	l.lastLife, l.lastPing = running, now
}

// silent reports whether the peer has exceeded the silence limit on the running clock.
func (l *liveness) silent(running time.Time, limits *Limits) bool {
	return running.Sub(l.lastLife) >= limits.silence()
}

// pingDue reports whether the next ping is due.
func (l *liveness) pingDue(now time.Time, limits *Limits) bool {
	return now.Sub(l.lastPing) >= limits.PingInterval
}

// A verdict of a timer that fired more than lateTick late is postponed by the lost time, at most maxLateTicks times in
// a row, so that a dead peer is closed on a starved machine, too.
const (
	lateTick     = 50 * time.Millisecond
	maxLateTicks = 4
)

// running returns the connection's running clock: real time without the standstill of the process and without the time
// in which the byte budget held the read pump back. After both, data of the peer may wait unread.
func (p *connection) running(now time.Time) time.Time {
	running := p.node.Running.At(now)
	return running.Add(-p.inbound.held.until(running))
}

// onTimer handles the timer. If its time was moved, or the process stood still, it is set again.
func (p *connection) onTimer(ctx actor.Context) {
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

// postpone reports whether the verdict of a late timer is postponed, and sets the timer again.
func (p *connection) postpone(late time.Duration) bool {
	if late <= lateTick || p.lateTicks >= maxLateTicks {
		return false
	}
	p.lateTicks++
	p.schedule(late)
	return true
}

// onTick runs when the timer is due: the handshake took too long, a ping is due, or the peer is silent.
func (p *connection) onTick(ctx actor.Context, late time.Duration) {
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
	if p.broken && p.awaitsClaim() {
		p.schedule(socket.LingerSilence)
		return
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
			p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: reasonUnverified})
		}
		return
	case verified && p.alive.silent(running, &p.node.Limits):
		if !p.postpone(late) {
			p.node.Counters.Inc(PeersTimedOut)
			reason := "no sign of life for " + p.node.Limits.silence().String()
			p.closeGracefully(ctx, End{Code: wire.DisconnectTimeout, Reason: reason})
		}
		return
	}
	p.lateTicks = 0
	p.rest()
	if p.mayPing() && p.alive.pingDue(now, &p.node.Limits) {
		p.ping()
	}
	p.schedule(p.untilDue(now))
}

// reasonUnverified is the reason of a connection whose peer was not verified in time.
const reasonUnverified = "the peer did not prove in time that it holds its key"

// rest frees the ciphers of a connection that has carried no message of the program since the last call. Until the next
// one they are made anew for each ping and pong.
func (p *connection) rest() {
	p.resting, p.traffic = !p.traffic, false
	if p.resting {
		p.codec.restOpening()
	}
	p.handle.outbox.rest()
}

func (p *connection) onHandshakeTimeout(ctx actor.Context, late time.Duration) {
	if p.postpone(late) {
		return
	}
	if p.direction == Inbound {
		p.node.Counters.Inc(HandshakesRejected)
		p.node.LimitedLog.Warn("handshake not finished", "remote", p.remote, "error", ErrHandshakeTimeout)
	}
	p.fail(ctx, ErrHandshakeTimeout)
}

// mayPing reports whether the peer may get a ping: not if it is unverified and known to send first.
func (p *connection) mayPing() bool { return p.proof.strength.Verified() || !p.proof.quiet }

// untilDue returns the time until the timer is needed, at least 1 ms: a ping, the silence limit, the end of a probe or
// the deadline of the proof.
func (p *connection) untilDue(now time.Time) time.Duration {
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

// ping sends a ping (protocol section 5).
func (p *connection) ping() {
	msg, err := p.compose(wire.MsgPing, wire.PingPayload{SentAt: p.node.Clock().UnixMilli()})
	if err != nil {
		p.node.Log.Error("a ping cannot be encoded", "error", err)
		return
	}
	now := time.Now()
	p.alive.lastPing, p.alive.pinged, p.alive.pingID = now, p.node.Running.At(now).Sub(p.node.Born), newPingID(&msg)
	p.send(&msg)
}

// maxOwnQueued is the number of queued messages of the connection itself above which pings are not answered.
const maxOwnQueued = 16

// answerPing sends a pong, but not to a peer that reads more slowly than it pings.
func (p *connection) answerPing(ping *wire.Message) {
	if p.handle.outbox.ownWaiting() >= maxOwnQueued {
		return
	}
	sent, err := ping.ParsePing()
	if err != nil {
		sent = wire.ConfirmPing{} // the pong is due even so
	}
	payload := wire.PongPayload{SentAt: sent.SentAt, ReceivedAt: p.node.Clock().UnixMilli()}
	msg, err := p.compose(wire.MsgPong, wire.ConfirmPong{PongPayload: payload, Confirmed: p.receipts(sent.Confirm)})
	if err != nil {
		p.node.Log.Error("a pong cannot be encoded", "error", err)
		return
	}
	msg.ReplyTo = ping.ID
	p.send(&msg)
}

// onPong stores the round-trip time of the last ping, measured with our own clock.
func (p *connection) onPong(ctx actor.Context, pong *wire.Message, now time.Time) {
	if !p.alive.pingID.answeredBy(pong.ReplyTo) {
		return
	}
	p.alive.pingID, p.alive.ponged = pingID{}, true
	took := p.node.Running.At(now).Sub(p.node.Born) - p.alive.pinged
	p.handle.roundTrip.Store(int64(took))
	p.observe(func(o Observer) { o.RoundTrip(took) })
	if p.session && !p.handle.confirmed.Swap(true) {
		ctx.Send(p.parent, &Confirmed{PID: p.handle.pid})
	}
}
