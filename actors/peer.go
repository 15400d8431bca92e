// Package actors holds one connection: its actor, the states it goes through, its handshake, limiter, liveness and
// codec, its pumps, and the names of everything that can end or be dropped. It knows nothing of other connections.
//
// A message travels, inbound:
//
//	Socket.Read → readPump → Peer.onFrame → limiter → open → decode → judge → Inbox → Sink
//
// and outbound:
//
//	Handle.PostMessage → Peer.onOutgoing → seal → outbox → Socket.Write
package actors

import (
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// phase is where a connection stands.
//
//	pending ──attached──▶ shaking ──Identified──▶ judged ──Welcome──▶ open ──▶ closing ──▶ (stopped)
//	   └───────────────────────┴───── timeout, failure, Refuse ────────┤           ▲
//	                                                                   └─▶ draining
type phase uint8

const (
	pending     phase = iota // a slot without a socket
	handshaking              // the socket is there, the handshake is not done
	deciding                 // the peer is known; the registry decides
	open                     // messages flow
	draining                 // a duplicate: nothing more is sent, messages of the peer are still delivered
	closing                  // nothing more is taken in; the last message is on its way out
)

// Opening is how a connection begins.
type Opening struct {
	Direction Direction
	Remote    string    // network address, or the one dialled
	Since     time.Time // the handshake timeout runs from here, on the node's running clock; zero: from now
	ExpectID  string    // Outbound: the node ID that must answer; empty: anybody
	Challenge [crypto.ChallengeSize]byte
}

// Peer is the actor of one connection. It owns the socket, the timer and the codec. Its token bucket belongs to the registry,
// which lends it to all connections of a peer.
type Peer struct {
	dispatcher dispatcher

	// What a message on its way out needs, together: of a thousand connections all are cold. The handle and the node are
	// fixed at construction, the rest is owned by Receive.
	phase   phase
	broken  bool // writing has failed, and the read pump has not said why yet
	handle  *Handle
	codec   codec
	node    *Node
	handled int // messages and frames

	// Fixed at construction.
	self      string // node ID
	parent    *actor.PID
	direction Direction
	remote    string
	slot      *Slot
	inbound   *budget

	// Owned by Receive.
	socket     *socket.Conn
	greeting   *greeting // nil once it is open
	peerID     string
	limiter    Limiter
	credited   time.Duration // of the time in which the read pump was held back
	inbox      *Inbox
	dedup      Deduplicator
	early      *early // nil: nothing waits
	proof      proof
	probe      *probe             // nil: nothing was asked, or it was answered
	disconnect *pendingDisconnect // draining: to be sent once every reserved message is pushed; nil: sent
	alive      liveness
	timer      *time.Timer
	recheck    *time.Timer   // of a congested queue
	due        time.Duration // when the timer was last set to, on the node's running clock, since Node.Born
	badFrames  int32         // in a row
	lateTicks  int32         // timeouts in a row whose verdict was put off because the timer fired late
}

// greeting holds the state that only the opening of a connection needs.
type greeting struct {
	Opening
	attached  time.Time
	secret    crypto.SharedSecret
	challenge [crypto.ChallengeSize]byte // the peer's, for the ack
	handshake []byte                     // the first message, exactly as sent
}

func newPeer(node *Node, parent *actor.PID, opening Opening) *Peer {
	p := &Peer{
		node: node, self: node.Keys.Identity().ID, parent: parent, direction: opening.Direction, remote: opening.Remote,
		greeting: &greeting{Opening: opening}, inbound: newBudget(node.Limits.InboundBytes, node.Running),
	}
	handle := &Handle{node: node, done: make(chan struct{})} // it outlives the rest, and so must not know of it
	p.handle = handle
	p.slot = &Slot{handle: p.handle}
	out := &handle.outbox
	out.node, out.host = node, handle
	p.dispatcher.outbox = out
	if node.Writers != nil && node.Writers.Workers != nil {
		p.dispatcher.workers, p.dispatcher.writers = node.Writers.Workers, node.Writers
		out.deferred = true
	}
	return p
}

// Receive implements actor.Actor.
func (p *Peer) Receive(ctx actor.Context) {
	returned := false
	defer func() {
		if !returned {
			p.faulted(recover())
		}
	}()
	p.receive(ctx)
	returned = true
}

// faulted passes a panic on to the supervisor, and makes one of runtime.Goexit: either stops the connection.
func (p *Peer) faulted(recovered any) {
	if recovered == nil {
		p.node.LimitedLog.Error("the program's code ended a connection's actor", "peer", p.peerID, "stack", string(debug.Stack()))
	}
	panic(fault(recovered))
}

func (p *Peer) receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.schedule(p.handshakeLeft(p.node.Running.Now()))
	case *actor.Stopping:
		p.cleanup()
	case *actor.Stopped, *actor.Restarting:
	case fromPumps:
		p.onPump(ctx, msg)
	case fromRegistry:
		p.onRegistry(ctx, msg)
	case *frame:
		p.onOutgoing(msg)
	case *Outgoing:
		p.onShared(msg)
	}
	p.countHandled()
}

// step counts what one turn has done.
func (p *Peer) countHandled() {
	if p.handled++; p.handled%flushEvery == 0 && p.dispatcher.workers != nil {
		p.dispatcher.flush()
	}
}

// handshakeLeft returns the rest of the handshake timeout, which includes the time before the slot. now is the node's
// running clock's.
func (p *Peer) handshakeLeft(now time.Time) time.Duration {
	if p.greeting.Since.IsZero() {
		return p.node.Limits.HandshakeTimeout
	}
	return max(p.node.Limits.HandshakeTimeout-now.Sub(p.greeting.Since), time.Millisecond)
}

func (p *Peer) onPump(ctx actor.Context, message fromPumps) {
	switch msg := message.(type) {
	case *attached:
		p.onAttached(ctx)
	case *failed:
		p.fail(ctx, msg.err)
	case *frameBatch:
		p.onFrames(ctx, msg)
	case *readEnded:
		p.onReadEnded(ctx, msg.err)
	case *writeEnded:
		p.onWriteEnded(ctx, msg.err)
	case *congested:
		p.onCongested(ctx)
	case *probePong:
		p.onProbePong(ctx)
	case *tick:
		p.onTimer(ctx)
	}
}

func (p *Peer) onRegistry(ctx actor.Context, message fromRegistry) {
	switch msg := message.(type) {
	case *Welcome:
		if p.phase == deciding {
			p.onWelcome(ctx, msg)
		}
	case *Refuse:
		if p.phase == deciding {
			p.reject(ctx, &rejection{reason: msg.Reason, detail: msg.Err})
		}
	case *Probe:
		p.onProbe()
	case *RoutePublished:
		p.onRoutePublished(ctx, msg)
	case *Yield:
		p.onYield(ctx, msg)
	case *CloseGracefully:
		p.closeGracefully(ctx, msg.End)
	}
}

// onOutgoing seals a message whose room is reserved.
func (p *Peer) onOutgoing(f *frame) {
	if p.phase != open && p.disconnect == nil {
		p.handle.outbox.unreserve(f.reserved)
		f.resolve(ErrClosed)
		p.node.frames.put(f)
		return
	}
	p.seal(f)
	p.handle.outbox.push(f)
	p.sendPendingDisconnect()
}

// onShared seals a copy of a message that goes to other connections, too.
func (p *Peer) onShared(o *Outgoing) {
	room := o.frameSize()
	f := p.node.frames.get(room)
	f.data, f.reserved, f.unpaced = append(f.data, o.text...), room, o.unpaced
	p.onOutgoing(f)
}

// seal makes the frame of the encoded message in f.
func (p *Peer) seal(f *frame) { f.data = p.codec.seal(f.data) }

// say sends a message of the connection's own, beside the queue's limits.
func (p *Peer) send(msg *wire.Message) {
	f, err := p.node.encode(msg)
	if err != nil {
		p.node.Log.Error("a message of the node's own cannot be encoded", "type", msg.Type, "error", err)
		return
	}
	p.seal(f)
	p.handle.outbox.push(f)
}

// compose makes a message of the connection's own.
func (p *Peer) compose(t wire.MessageType, payload any) (*wire.Message, error) {
	msg, err := wire.NewMessage(t, p.self, p.peerID, payload)
	if err != nil {
		return nil, err
	}
	msg.Timestamp = p.node.Clock().UTC()
	return msg, nil
}

// schedule sets the one timer of the connection.
func (p *Peer) schedule(d time.Duration) {
	p.due = p.node.Running.Now().Sub(p.node.Born) + d
	if p.timer == nil {
		p.timer = time.AfterFunc(d, func() { p.handle.tell(&tick{}) })
		return
	}
	p.timer.Reset(d)
}
