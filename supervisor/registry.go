package supervisor

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
)

// registry is the parent of all connection actors. It decides which connections are admitted, which connection is the
// route to each peer, and which peers are dialled again. Receive never waits for a peer, a disk or an answer.
//
//	admission, dial ──▶ slot ──Identified──▶ open ──Verified──▶ verified ──Ended──▶ closed ──Terminated──▶ slot freed
//	                                          PeerUp           route, PeerVerified  route removed, PeerDown
//
// A connection opens and closes in a fixed order, see open and markClosed. Invariants, checked by tests:
//   - slots holds exactly the living children;
//   - the route table has an entry for exactly the peers with an entry in peers, and the route is the first connection
//     of that entry;
//   - len(slots) never exceeds MaxConns.
type registry struct {
	// Fixed after construction.
	live       *atomic.Pointer[TransportConfig] // the transport reads cfg here
	node       *actors.Node
	book       *PeerRegistry
	dedup      *MessageDeduplicator
	bus        *eventBus
	routes     *routeTable
	ownDials   *ownDials
	nodeEvents *actors.Inbox // events that belong to no connection
	dial       func(ctx context.Context, url string) (*socket.Conn, error)
	random     func() float64
	dials      context.Context
	stopDials  context.CancelFunc
	done       chan struct{}

	deliveries *actors.Activity
	transport  *Transport // for calls on other goroutines
	cluster    Cluster    // nil: this process is the whole node

	broadcaster *actor.PID

	// Owned by Receive.
	cfg           *TransportConfig // the configuration in force; its fields are never written
	shared        *actors.Node     // shared by connections that are spawned from now on
	self          *actor.PID
	slots         map[string]*slot    // by actor ID
	byChallenge   map[challenge]*slot // outbound slots by the challenge that they sent
	perAddress    map[string]int      // inbound slots by address group, with admissions that wait for a slot
	rates         admissionRates      // of admissions, by address group
	peers         map[string][]*slot  // open connections by node ID, the route first
	established   int                 // open connections
	states        map[string]*peerState
	claimNumber   uint64                 // of the last claim in the cluster
	noClaim       claim                  // of all peers without a cluster: always zero
	moves         memberMoves            // of peers between members of the cluster
	targets       map[string]*dialTarget // by URL
	targetsOf     targetIndex
	buckets       map[bucketKey]*bucket
	further       map[string]*further // by node ID: deployed peers with an assigned address
	expireTimer   *time.Timer
	suspendTimer  *time.Timer // next end of a suspension
	shutdownTimer *runclock.Timer
	order         uint64
	numbers       uint64 // number of the last connection that opened

	reply func(answer any) // answers the current message; nil: no answer is wanted, or it was sent

	callTurn <-chan struct{} // closed when the last call of inTurn is done; nil: there was none

	awaitDials []func(answer any) // callers of AwaitFirstDials

	// Rate limit for PeerUp events of unverified peers.
	claims  *actors.PeerRateLimiter
	omitted int // PeerUp events that were not sent since the last one

	following following // messages behind broadcasts

	refusals refusals // of identified peers

	downgrade struct { // the last event DowngradeRefused
		reported time.Time
		omitted  int
	}
	pending  pendingPeers // refused because they are not on the allowlist
	stopping bool
	drain    drain  // Transport.Drain
	restarts uint64 // panics of the registry
	panicked uint64 // connections stopped because their actor panicked
	// By node ID: send buckets of peers without a verified connection.
	sendBuckets idleSendBuckets
	modeRefused int                  // peers that changes of the auth mode have disconnected since the last answer
	conflicts   map[string]*conflict // by node ID: recent duplicates from other hosts
	rollbacks   rollbackTimes
	sessionsOff rollbackTimes // warnings that a pinned peer has switched its sessions off
	// Inboxes of ended connections that may still hold messages or events for handlers.
	lagging map[*actors.Inbox]struct{}
}

// Receive implements actor.Actor.
func (r *registry) Receive(ctx actor.Context) {
	message, reply := r.unwrap(ctx)
	if done, ok := message.(*broadcasted); ok {
		r.following.finished = done.number
	}
	r.resumeFollowing(ctx)
	if !r.following.keep(message, reply) {
		r.process(ctx, message, reply)
	}
}

// process handles one message. It recovers from a panic: the message fails and every connection stays.
func (r *registry) process(ctx actor.Context, message any, reply func(answer any)) {
	returned := false
	r.reply = reply
	defer func() {
		if fault := recover(); !returned {
			if fault == nil {
				fault = "code of the program called runtime.Goexit"
			}
			r.noteFault(fault)
			r.reconcile(ctx)
			r.answer(failed(message, errInternal))
		}
	}()
	r.receive(ctx, message)
	returned = true
}

// noteFault counts and logs a panic of the registry.
func (r *registry) noteFault(fault any) {
	r.restarts++
	r.node.Counters.Inc(actors.ActorRestarts)
	r.node.Log.Error("the registry panicked and continues", "panic", fault, "stack", string(debug.Stack()))
}

func (r *registry) receive(ctx actor.Context, message any) {
	if answered := unusable(message); answered != nil {
		r.answer(answered)
		return
	}
	switch msg := message.(type) {
	case *actor.Started:
		r.self = ctx.Self()
		r.scheduleExpire()
		r.scheduleSuspended()
	case *actor.Stopping:
		r.stopTimers()
		r.node.Drops.Close()
	case *actor.Stopped:
		r.failFollowing()
		ctx.Poison(r.broadcaster) // behind the broadcasts
		r.transport.answerStopped(r.self.Id)
		close(r.done)
	case *actor.Terminated:
		r.onTerminated(ctx, msg.Who)
	case fromPrograms:
		r.onProgram(ctx, msg)
	case fromTransport:
		r.onTransport(ctx, msg)
	default:
		r.onConnection(ctx, msg)
	}
}

func (r *registry) onProgram(ctx actor.Context, message fromPrograms) {
	switch msg := message.(type) {
	case *Send:
		r.onSend(msg)
	case *Broadcast:
		r.onBroadcast(ctx, msg)
	case *Subscribe:
		if msg.PID == nil {
			r.answer(&Subscribed{Err: errNilSubscriber}) // a send to a nil PID panics
			return
		}
		ctx.Watch(msg.PID)
		r.bus.subscribe(msg, r.answer)
	case *Unsubscribe:
		if msg.PID == nil {
			r.answer(&Unsubscribed{Err: errNilSubscriber})
			return
		}
		r.bus.unsubscribe(msg.PID)
		ctx.Unwatch(msg.PID)
		r.answer(&Unsubscribed{})
	case *Connect:
		r.onConnect(ctx, msg)
	case *Disconnect:
		r.answer(&Disconnected{Err: r.disconnect(ctx, msg)})
	case *DisconnectConnection:
		conn, err := r.disconnectConnection(ctx, msg)
		r.answer(&ConnectionEnding{Connection: conn, Err: err})
	default:
		r.onCall(msg)
	}
}

func (r *registry) onTransport(ctx actor.Context, message fromTransport) {
	switch msg := message.(type) {
	case *admission:
		r.onAdmission(ctx, msg)
	case *redial:
		if msg.generation == msg.target.generation {
			r.advance(ctx, msg.target, dialDue, nil)
		}
	case *furtherDue:
		if f := r.further[msg.peer]; f != nil && f.generation == msg.generation {
			r.decideFurther(ctx, msg.peer)
		}
	case *routeDue:
		r.onRouteDue(ctx, msg.peer)
	case *recordsMerged:
		r.onRecordsMerged(ctx, msg)
	case *authChanged:
		r.answerAuthChanged(msg, r.onAuthChanged(ctx))
	case *reconfigure:
		r.onReconfigure(ctx, msg)
	case *forget:
		r.onForget(ctx, msg)
	case *getCounts:
		r.answer(r.countConnections(msg))
	case *awaitFirstDials:
		r.onAwaitFirstDials()
	case *suspensionEnded:
		r.onSuspensionEnded(ctx)
	case *listPending:
		r.answer(r.listPending())
	case *listDials:
		r.answer(r.listDials(msg))
	case *getTree:
		r.answer(r.tree(msg.limit))
	case *expire:
		r.onExpire()
	case *shutdown:
		r.onShutdown(ctx, msg)
	case *stopNow:
		for _, s := range r.slots {
			ctx.Stop(s.pid)
		}
	case *withdrawal:
		r.onWithdrawal(ctx, msg)
	case *dialPeers:
		r.onDialPeers(ctx)
	case *claimDecided:
		r.onClaimDecided(ctx, msg)
	case *claimContested:
		r.onClaimContested(ctx, msg)
	case *claimTaken:
		r.onClaimTaken(ctx, msg)
	case *peerFreed:
		r.onPeerFreed(ctx, msg.peer)
	case *beginDrain:
		r.drain.begun = true
		r.answer(&drainBegun{})
	case *drainPeers:
		r.onDrainPeers(ctx)
	case *drainDue:
		r.tellPeers(ctx)
	case *membersChanged:
		r.dialIdle(ctx)
	case *listenerEnded:
		r.nodeEvents.Event(ListenerDown{Address: msg.address, Err: msg.err})
	}
}
