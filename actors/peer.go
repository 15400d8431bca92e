// Package actors holds one connection: its actor, the states it goes through, its handshake, limiter, liveness and
// codec, its pumps, and the names of everything that can end or be dropped. It knows nothing of other connections.
//
// A message travels, inbound:
//
//	Socket.Read → readPump → Peer.onFrame → limiter → open → decode → judge → Delivery → Sink
//
// and outbound:
//
//	Handle.Post → Peer.onOutgoing → seal → outbox → Socket.Write
package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// phase is where a connection stands.
//
//	pending ──attached──▶ shaking ──Identified──▶ judged ──Welcome──▶ open ──▶ closing ──▶ (stopped)
//	   └───────────────────────┴───── timeout, failure, Refuse ────────┴───────────▲
type phase int

const (
	pending phase = iota // a slot without a socket
	shaking              // the socket is there, the handshake is not done
	judged               // the peer is known; the registry decides
	open                 // messages flow
	closing              // nothing more is taken in; the last message is on its way out
)

// Opening is how a connection begins.
type Opening struct {
	Direction Direction
	Remote    string    // network address, or the one dialled
	Since     time.Time // the handshake timeout runs from here; zero: from now
	ExpectID  string    // Outbound: the node ID that must answer; empty: anybody
	Challenge [crypto.ChallengeSize]byte
}

// Peer is the actor of one connection. It owns the socket, the token bucket, the timer and the codec.
type Peer struct {
	// Fixed at construction.
	node    *Node
	self    crypto.NodeIdentity
	parent  *actor.PID
	opening Opening
	slot    *Slot
	handle  *Handle
	inbound *budget

	// Owned by Receive.
	phase     phase
	socket    *Socket
	since     time.Time // of the socket
	peer      claim
	secret    crypto.SharedSecret
	challenge [crypto.ChallengeSize]byte // the peer's, for the ack
	sealer    *crypto.Sealer
	opener    *crypto.Opener
	limiter   Limiter
	delivery  *Delivery
	dedup     Deduplicator
	early     []*frame // came between the ack and Welcome
	proven    bool
	probed    bool
	badFrames int // in a row
	alive     liveness
	timer     *time.Timer
	recheck   *time.Timer // of a congested queue
	ticks     int         // generation of the timer
	ended     bool
	reading   bool
	broken    bool // writing has failed, and the read pump has not said why yet
}

func newPeer(node *Node, parent, pid *actor.PID, opening Opening) *Peer {
	p := &Peer{
		node: node, self: node.Keys.Identity(), parent: parent, opening: opening,
		inbound: newBudget(node.Limits.InboundBytes),
	}
	p.handle = &Handle{pid: pid, node: node, done: make(chan struct{})}
	p.slot = &Slot{handle: p.handle}
	p.handle.outbox = &outbox{
		maxMessages: node.Limits.QueueMessages,
		maxBytes:    node.Limits.QueueBytes,
		counters:    node.Counters,
		buffers:     &node.frames,
		spawn:       node.Writers.Go,
		report:      func(err error) { p.handle.tell(&writeEnded{err: err}) },
	}
	return p
}

// Receive implements actor.Actor.
func (p *Peer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.schedule(p.handshakeLeft(time.Now()))
	case *actor.Stopping:
		p.cleanUp()
	case *actor.Stopped, *actor.Restarting:
	case fromPumps:
		p.onPump(ctx, msg)
	case fromRegistry:
		p.onRegistry(ctx, msg)
	case *Outgoing:
		p.onOutgoing(msg)
	}
}

// handshakeLeft is what is left of the handshake timeout: what came before the slot counts too.
func (p *Peer) handshakeLeft(now time.Time) time.Duration {
	if p.opening.Since.IsZero() {
		return p.node.Limits.HandshakeTimeout
	}
	return max(p.node.Limits.HandshakeTimeout-now.Sub(p.opening.Since), time.Millisecond)
}

func (p *Peer) onPump(ctx actor.Context, message fromPumps) {
	switch msg := message.(type) {
	case *attached:
		p.onAttached(ctx)
	case *failed:
		p.fail(ctx, msg.err)
	case *frame:
		p.onFrame(ctx, msg)
	case *readEnded:
		p.onReadEnded(ctx, msg.err)
	case *writeEnded:
		p.onWriteEnded(ctx, msg.err)
	case *congested:
		p.onCongested(ctx)
	case *tick:
		if msg.generation == p.ticks {
			p.onTick(ctx)
		}
	}
}

func (p *Peer) onRegistry(ctx actor.Context, message fromRegistry) {
	switch msg := message.(type) {
	case *Welcome:
		if p.phase == judged {
			p.onWelcome(ctx, msg)
		}
	case *Refuse:
		if p.phase == judged {
			p.reject(ctx, &rejection{reason: msg.Reason, detail: msg.Err})
		}
	case *Probe:
		if p.phase == open {
			p.probed = true
			p.ping()
		}
	case *Goodbye:
		p.goodbye(ctx, msg.End)
	}
}

// onOutgoing seals a message whose room is reserved.
func (p *Peer) onOutgoing(o *Outgoing) {
	defer o.giveBack()
	size := frameRoom(len(o.escaped))
	if p.phase != open {
		p.handle.outbox.unreserve(size)
		if o.result != nil {
			o.result <- ErrClosed
		}
		return
	}
	f := p.seal(o.escaped, size)
	p.handle.outbox.push(outbound{data: f.data, frame: f, room: size, result: o.result})
}

func (p *Peer) seal(escaped []byte, size int) *frame {
	f := p.node.frames.get(size)
	f.data = p.sealer.Seal(f.data, escaped, p.node.Clock().Unix())
	return f
}

// say sends a message of the connection's own, beside the queue's limits.
func (p *Peer) say(msg *wire.Message) {
	o, err := p.node.Encode(msg)
	if err != nil {
		p.node.Log.Error("a message of the node's own cannot be encoded", "type", msg.Type, "error", err)
		return
	}
	f := p.seal(o.escaped, frameRoom(len(o.escaped)))
	p.handle.outbox.push(outbound{data: f.data, frame: f, forced: true})
}

// compose makes a message of the connection's own.
func (p *Peer) compose(t wire.MessageType, payload any) (*wire.Message, error) {
	msg, err := wire.NewMessage(t, p.self.ID, p.peer.identity.ID, payload)
	if err != nil {
		return nil, err
	}
	msg.Timestamp = p.node.Clock().UTC()
	return msg, nil
}

// schedule sets the one timer of the connection. A tick of an earlier setting is known by its generation.
func (p *Peer) schedule(d time.Duration) {
	p.ticks++
	generation := p.ticks
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = time.AfterFunc(d, func() { p.handle.tell(&tick{generation: generation}) })
}
