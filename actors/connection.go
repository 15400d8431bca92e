// Package actors implements one connection: its actor, handshake, limiter, keepalive, codec, queues, and the reasons
// for which connections end and messages are dropped. It knows no other connection.
//
// The path of an inbound message:
//
//	socket.Conn.Read → readPump → connection.onFrame → limiter → open → decode → check → Inbox → Sink
//
// The path of an outbound message:
//
//	Handle.Send → encode → outbox → seal → socket.Conn.Write
package actors

import (
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// phase is the state of a connection.
//
//	pending ──attached──▶ handshaking ──Identified──▶ deciding ──Welcome──▶ open ──▶ closing ──▶ (stopped)
//	   └───────────────────────────┴───── timeout, failure, Refuse ────────┤           ▲
//	                                                                       └─▶ draining
type phase uint8

const (
	pending     phase = iota // no socket yet
	handshaking              // the handshake is not finished
	deciding                 // the peer is identified; the registry decides
	open                     // messages are exchanged
	draining                 // a duplicate: sends no more messages, delivers those of the peer
	closing                  // accepts no input; the last frame is being sent
)

// Opening holds the parameters of a new connection.
type Opening struct {
	Direction Direction
	Remote    string    // network address of the peer, or the dialled address
	Since     time.Time // start of the handshake timeout, on the node's running clock; zero: now
	ExpectID  string    // Outbound: required node ID of the peer; empty: any
	Challenge [crypto.ChallengeSize]byte
}

// connection is the actor of one connection. It owns the socket, the timer and the codec. The registry owns the token
// bucket and lends it to all connections of a peer.
type connection struct {
	dispatcher dispatcher
	mailbox    mailbox

	// Fields for each outbound message share a cache line: with 1,000 connections all are cold. handle and node are fixed
	// at construction, Receive owns the rest.
	phase   phase
	broken  bool // a write has failed; the read pump has not reported its error yet
	session bool // the frames are records of a session
	opening bool // a frame is being processed
	paid    bool // a token was taken for the next record
	stopped bool // records wait for a token or for the handlers
	traffic bool // a message of the program has arrived since the last tick
	resting bool // the codec rests whenever no frame is processed
	handle  *Handle
	codec   codec
	node    *Node
	handled int // number of messages and frames

	// Fixed at construction.
	self      string // node ID
	parent    *actor.PID
	direction Direction
	remote    string
	slot      *Slot
	inbound   *budget

	// Owned by Receive.
	socket    *socket.Conn
	greeting  *greeting // nil once the connection is open
	peerID    string
	limiter   Limiter
	credited  time.Duration // hold time of the read pump that the limiter knows of
	inbox     *Inbox
	dedup     Deduplicator
	members   *members     // nil: this process is the whole node
	early     *early       // nil: empty
	drops     *recentDrops // nil: no message was dropped
	proof     proof
	probe     *probe // nil: never sent, or answered
	alive     liveness
	timer     *time.Timer
	recheck   *time.Timer   // looks at a full outbox again
	refill    *time.Timer   // a token returns
	due       time.Duration // when the timer is due, on the node's running clock, since Node.Born
	badFrames int32         // consecutive
	lateTicks int32         // consecutive timeouts whose verdict was postponed because the timer fired late
}

// greeting holds the state of a connection that is not open yet.
type greeting struct {
	Opening
	attached  time.Time
	secret    crypto.SharedSecret
	challenge [crypto.ChallengeSize]byte // the peer's, for the ack
	handshake []byte                     // the first message, byte for byte
	key       crypto.PublicKey           // the peer's, once it is identified

	smsg    *smsgCodec         // without a session
	offer   *session.Offer     // initiator: its keys
	offered *wire.SessionOffer // initiator: the same in the handshake; nil: none
	terms   *sessionTerms      // nil: no session
}

func newConnection(node *Node, parent *actor.PID, opening Opening) *connection {
	p := &connection{
		node: node, self: node.Keys.Identity().ID, parent: parent, direction: opening.Direction, remote: opening.Remote,
		greeting: &greeting{Opening: opening},
	}
	p.inbound = newBudget(node.Limits.InboundBytes, node.Running, func() { p.handle.tell(&resumed{}) })
	handle := &Handle{node: node} // programs keep it: it must not refer to the connection
	p.handle = handle
	p.slot = &Slot{handle: p.handle}
	out := &handle.outbox
	out.node, out.host, out.refusing = node, handle, true
	p.dispatcher.outbox = out
	if node.Writers != nil && node.Writers.Workers != nil {
		p.dispatcher.workers, p.dispatcher.writers = node.Writers.Workers, node.Writers
		out.deferred = true
	}
	return p
}

// Receive implements actor.Actor.
func (p *connection) Receive(ctx actor.Context) {
	returned := false
	defer func() {
		if !returned {
			p.faulted(recover())
		}
	}()
	p.receive(ctx)
	returned = true
}

// faulted passes a panic to the supervisor, and turns runtime.Goexit into a panic. Both stop the connection.
func (p *connection) faulted(recovered any) {
	if recovered == nil {
		p.node.LimitedLog.Error("the program's code ended a connection's actor",
			"peer", p.peerID, "stack", string(debug.Stack()))
	}
	panic(fault(recovered))
}

func (p *connection) receive(ctx actor.Context) {
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
	}
	p.countHandled(1)
}

// countHandled counts n more messages. It hands pending writes and deliveries to other goroutines every flushEvery
// messages.
func (p *connection) countHandled(n int) {
	before := p.handled / flushEvery
	if p.handled += n; p.handled/flushEvery != before && p.dispatcher.workers != nil {
		p.dispatcher.flush()
	}
}

// handshakeLeft returns the rest of the handshake timeout, which starts at Opening.Since. now is a time of the node's
// running clock.
func (p *connection) handshakeLeft(now time.Time) time.Duration {
	if p.greeting.Since.IsZero() {
		return p.node.Limits.HandshakeTimeout
	}
	return max(p.node.Limits.HandshakeTimeout-now.Sub(p.greeting.Since), time.Millisecond)
}

func (p *connection) onPump(ctx actor.Context, message fromPumps) {
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
	case *resumed:
		p.onResumed(ctx)
	case *firstChecked:
		p.onFirstChecked(ctx, msg)
	case *tick:
		p.onTimer(ctx)
	}
}

func (p *connection) onRegistry(ctx actor.Context, message fromRegistry) {
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

// send sends a message of the connection itself.
func (p *connection) send(msg *wire.Message) {
	f, err := p.handle.encode(msg)
	if err != nil {
		p.node.Log.Error("a message of the node's own cannot be encoded", "type", msg.Type, "error", err)
		return
	}
	p.handle.outbox.push(f)
}

// compose returns a new message of the connection itself. It is a value, so that it stays on the caller's stack.
func (p *connection) compose(t wire.MessageType, payload any) (wire.Message, error) {
	msg := wire.Message{Type: t, From: p.self, To: p.peerID}
	err := msg.Renew(payload)
	msg.Timestamp = p.node.Clock().UTC()
	return msg, err
}

// schedule sets the connection's only timer.
func (p *connection) schedule(d time.Duration) {
	p.due = p.node.Running.Now().Sub(p.node.Born) + d
	if p.timer == nil {
		p.timer = time.AfterFunc(d, func() { p.handle.tell(&tick{}) })
		return
	}
	p.timer.Reset(d)
}
