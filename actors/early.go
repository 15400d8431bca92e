package actors

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// early holds input that waits, in order. frames wait before they are opened, held messages after.
//
//	frames wait for         set by                            ended by
//	the registry's answer   deciding; proof.awaited           onWelcome; release
//	another member          proof.asking                      onFirstChecked
//	a token (session)       mayOpen: stopped, choke, refill   the timer: onResumed
//	handlers (session)      mayOpen: stopped, pause           budget.give: onResumed
//
//	held messages wait for
//	RoutePublished          proof.awaited                     release
//
// Example: a record arrives, and the peer has no token. It is kept, the read pump stops (choke), and the timer of the
// refill sends resumed, which takes the token, opens the record, and continues with the frames behind it.
type early struct {
	frames []keptFrame
	next   int           // index of the oldest frame that waits
	held   []undelivered // wait for RoutePublished
	ended  error         // result of the read pump that waits for RoutePublished; nil: none, see awaitsClaim
}

// keptFrame is a copy of a frame.
type keptFrame struct {
	data []byte
	text bool
}

// undelivered is a message that waits for its handlers, with its cost in the budget.
type undelivered struct {
	message *wire.Message
	cost    int64
	check   *unchecked // nil: other members need not be asked
}

// earlyInput returns p.early and creates it if needed.
func (p *connection) earlyInput() *early {
	if p.early == nil {
		p.early = &early{}
	}
	return p.early
}

// keepFrame keeps a copy of a frame.
func (p *connection) keepFrame(data []byte, text bool) {
	later := p.earlyInput()
	later.frames = append(later.frames, keptFrame{bytes.Clone(data), text})
}

// kept reports whether a frame waits.
func (p *connection) kept() bool { return p.early != nil && p.early.next < len(p.early.frames) }

// takeKept returns the oldest frame that waits. There is one.
func (p *connection) takeKept() keptFrame {
	later := p.early
	f := later.frames[later.next]
	later.frames[later.next] = keptFrame{}
	switch later.next++; {
	case later.next == len(later.frames):
		later.frames, later.next = nil, 0
		p.dropEarly()
	case later.next >= minTaken && later.next >= len(later.frames)/2:
		later.compact()
	}
	return f
}

// minTaken is the number of frames that are taken at least before the others move to their place.
const minTaken = 16

// compact moves the frames that wait to the start of the array. A peer can keep the backlog from ever being empty.
func (e *early) compact() {
	n := copy(e.frames, e.frames[e.next:])
	clear(e.frames[n:])
	e.frames, e.next = e.frames[:n], 0
}

// takeHeld returns the messages that have waited and forgets them.
func (p *connection) takeHeld() (held []undelivered) {
	if p.early == nil {
		return nil
	}
	held, p.early.held = p.early.held, nil
	p.dropEarly()
	return held
}

func (p *connection) dropEarly() {
	if p.early.frames == nil && p.early.held == nil && p.early.ended == nil {
		p.early = nil
	}
}

// mayOpen reports whether the next frame of an open connection is processed now. For a record of a session it takes the
// token (p.paid). A record is never skipped: without a token, or while the messages before it fill the budget, it and
// the frames behind it wait. While a record waits for a token, the read pump reads no further one.
func (p *connection) mayOpen(now time.Time) bool {
	switch {
	case p.proof.awaited || p.proof.asking: // the registry may lend another bucket
		return false
	case !p.session:
		return true
	case p.stopped:
		return false
	case p.inbound.pause():
		p.stopped = true
		return false
	case p.takeToken(now):
		p.paid = true
		return true
	}
	p.stopped = true
	p.inbound.choke(true)
	p.refill = time.AfterFunc(max(p.limiter.Until(now), time.Millisecond), func() { p.handle.tell(&resumed{}) })
	return false
}

// onResumed continues with the frames that wait for a token or for the handlers.
func (p *connection) onResumed(ctx actor.Context) {
	p.stopped = false
	p.resume(ctx, false)
}

// resume processes the frames that wait, as far as possible. At the end of the connection (final) none waits any
// longer: messages without a token are dropped. From the first record on for which the budget has no room, none is
// opened.
func (p *connection) resume(ctx actor.Context, final bool) {
	for p.kept() {
		at := p.moment()
		switch {
		case !final && !p.mayOpen(at.now):
			return
		case final && p.session && p.inbound.crowded():
			p.dropKept()
			continue
		case final:
			p.releaseHeld()
		}
		f := p.takeKept()
		p.process(ctx, f.data, f.text, &at)
	}
	p.inbound.choke(false)
	if final {
		p.releaseHeld()
	}
}

// finishEarly ends all waits when the connection ends. Frames that wait behind the one that is being processed, which
// has ended the connection, came after the end.
func (p *connection) finishEarly(ctx actor.Context) {
	switch {
	case p.phase != open && p.phase != draining:
	case p.awaitsClaim():
		p.dropHeld()
	default:
		if p.releaseHeld(); !p.opening {
			p.resume(ctx, true)
		}
	}
}

// awaitsClaim reports whether another process may be the home of the peer (Node.Claims), so that no message is
// delivered before RoutePublished, not even at the end of the connection. The end of the read pump waits as well: until
// then the peer counts as connected.
func (p *connection) awaitsClaim() bool {
	return p.node.Claims && p.proof.awaited && (p.phase == open || p.phase == draining)
}

// dropHeld drops the messages that wait for RoutePublished.
func (p *connection) dropHeld() {
	p.proof.awaited = false
	for _, next := range p.takeHeld() {
		p.node.Counters.Inc(MessagesAfterGoodbye)
		p.inbound.give(next.cost)
	}
}

// takeEnded returns the result of the read pump that has waited, or nil, and forgets it.
func (p *connection) takeEnded() (err error) {
	if p.early != nil {
		err, p.early.ended = p.early.ended, nil
		p.dropEarly()
	}
	return err
}

// dropKept drops the frames that wait.
func (p *connection) dropKept() {
	for p.kept() {
		f := p.takeKept()
		p.node.Counters.Inc(MessagesAfterGoodbye)
		p.inbound.give(p.inbound.open(len(f.data)))
	}
}

// release delivers the message that was the proof, and processes the frames behind it. The registry has answered.
func (p *connection) release(ctx actor.Context) {
	p.releaseHeld()
	p.resume(ctx, false)
}

// settleHeld ends the wait of messages when the actor stops.
func (p *connection) settleHeld() {
	if p.awaitsClaim() {
		p.dropHeld()
		return
	}
	p.releaseHeld()
}

func (p *connection) releaseHeld() {
	p.proof.awaited = false
	for _, next := range p.takeHeld() {
		p.deliver(next)
	}
}

// deliver passes a message to a waiting request and to the handlers.
func (p *connection) deliver(next undelivered) {
	msg := next.message
	if p.proof.awaited {
		later := p.earlyInput()
		later.held = append(later.held, next)
		return
	}
	if next.check != nil {
		p.inbox.queue(deliverable{item: next.check, budget: p.inbound, cost: next.cost})
		return
	}
	if msg.ReplyTo != "" && p.proof.strength.Verified() { // an unverified peer answers no request
		p.node.OnReply(p.peerID, msg)
	}
	p.inbox.message(msg, p.inbound, next.cost)
}
