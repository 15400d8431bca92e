package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// probe is the question whether the peer is still there, asked by the registry when another connection of the same peer
// has proven itself.
type probe struct {
	pingID string    // of the ping that asks
	due    time.Time // an answer after this moment is too late
	open   bool      // its answer is awaited
	doubt  bool      // one before was not answered; the next sign of life is reported
}

// asked reports whether the answer to a probe is awaited.
func (p *probe) asked() bool { return p != nil && p.open }

// onProbe sends an encrypted ping and a WebSocket ping, unless a probe is on its way. A deployed node without a worker
// answers only the latter.
func (p *Peer) onProbe() {
	if p.phase != open || p.probe.asked() {
		return
	}
	p.ping()
	p.probe = &probe{
		pingID: p.alive.pingID, due: p.running(time.Now()).Add(p.node.Limits.PongTimeout),
		open: true, doubt: p.probe != nil,
	}
	if p.anyAnswer() {
		socket, handle, limit := p.socket, p.handle, p.node.Limits.PongTimeout
		p.node.Spawn(func() {
			if socket.Ping(limit) == nil {
				handle.tell(&probePong{})
			}
		})
	}
	p.schedule(p.untilDue(time.Now()))
}

// anyAnswer reports whether a WebSocket pong or any fresh frame answers a probe: a deployed node without a worker sends no
// pong. A peer that binds its frames answers every ping.
func (p *Peer) anyAnswer() bool { return !p.alive.ponged && p.proof.strength < Bound }

// onProbePong is the answer to a WebSocket ping.
func (p *Peer) onProbePong(ctx actor.Context) {
	if p.phase == open && p.anyAnswer() {
		p.answered(ctx)
	}
}

// showLife is a fresh frame of the peer; pong is the id of the ping that it answers, if it is a pong.
func (p *Peer) showLife(ctx actor.Context, pong string) {
	if p.probe != nil && (p.probe.doubt || pong == p.probe.pingID || p.anyAnswer()) {
		p.answered(ctx)
	}
}

func (p *Peer) answered(ctx actor.Context) {
	if p.probe != nil {
		p.probe = nil
		ctx.Send(p.parent, &Alive{PID: p.handle.pid})
	}
}

// expireProbe reports a probe that was not answered in time.
func (p *Peer) expireProbe(ctx actor.Context, running time.Time) {
	if p.probe.asked() && !running.Before(p.probe.due) {
		p.probe.open, p.probe.doubt = false, true
		ctx.Send(p.parent, &Doubted{PID: p.handle.pid})
	}
}
