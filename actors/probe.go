package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// probe asks whether the peer is alive. The registry requests it when another connection of the same peer is verified.
type probe struct {
	pingID pingID    // of the encrypted ping
	due    time.Time // deadline of the answer
	open   bool      // no answer yet
	doubt  bool      // an earlier probe was not answered: report the next sign of life
}

// asked reports whether the probe is unanswered.
func (p *probe) asked() bool { return p != nil && p.open }

// onProbe sends an encrypted ping and a WebSocket ping, unless a probe is unanswered. A deployed node without a worker
// answers the WebSocket ping only.
func (p *connection) onProbe() {
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

// anyAnswer reports whether a WebSocket pong or any fresh frame answers a probe: a deployed node without a worker
// sends no pong. A peer that binds its frames answers every ping.
func (p *connection) anyAnswer() bool { return !p.alive.ponged && p.proof.strength < Bound }

// onProbePong handles the answer to a WebSocket ping.
func (p *connection) onProbePong(ctx actor.Context) {
	if p.phase == open && p.anyAnswer() {
		p.answered(ctx)
	}
}

// showLife handles a fresh frame of the peer; pong is the ID of the ping that it answers, or "".
func (p *connection) showLife(ctx actor.Context, pong string) {
	if p.probe != nil && (p.probe.doubt || p.probe.pingID.answeredBy(pong) || p.anyAnswer()) {
		p.answered(ctx)
	}
}

func (p *connection) answered(ctx actor.Context) {
	if p.probe != nil {
		p.probe = nil
		ctx.Send(p.parent, &Alive{PID: p.handle.pid})
	}
}

// expireProbe reports a probe without an answer in time.
func (p *connection) expireProbe(ctx actor.Context, running time.Time) {
	if p.probe.asked() && !running.Before(p.probe.due) {
		p.probe.open, p.probe.doubt = false, true
		ctx.Send(p.parent, &Doubted{PID: p.handle.pid})
	}
}
