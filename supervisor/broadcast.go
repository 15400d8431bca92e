package supervisor

import (
	"errors"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// onSend enqueues a message on the route to its peer.
func (r *registry) onSend(msg *Send) {
	via := r.routes.route(msg.Peer)
	if via.conn == nil {
		if r.holdSend(msg) || r.forwardSend(msg) {
			return
		}
		r.answer(&Sent{Err: peerError(msg.Peer, r.routes.missing(msg.Peer))})
		return
	}
	for _, alternate := range via.alternates {
		_ = alternate.Post(msg.Message) // the route's result counts
	}
	r.answer(&Sent{Err: via.conn.Post(msg.Message)})
}

// onBroadcast hands a message to the broadcaster, for the peers that have a route now.
func (r *registry) onBroadcast(ctx actor.Context, msg *Broadcast) {
	if err := checkAuthor(msg.Message, r.node.Keys.Identity().ID, ""); err != nil {
		r.answer(&Broadcasted{Err: err})
		return
	}
	reply := r.takeReply()
	var gained map[string]bool
	if r.cluster != nil {
		done := msg.here
		if done == nil {
			done = r.castEverywhere(msg, reply)
		}
		reply, gained = r.castInCluster(msg, done), r.moves.gainedPeers()
	}
	r.following.accepted++
	ctx.Send(r.broadcaster, &broadcastJob{
		number: r.following.accepted, msg: msg.Message, role: msg.Role, to: r.routes.snapshot(), reply: reply,
		registry: r.self, gained: gained,
	})
}

// broadcastJob is one broadcast on its way from the registry to the broadcaster.
type broadcastJob struct {
	number   uint64
	msg      *wire.Message
	role     crypto.NodeRole // only peers of this role; empty: all
	to       routes
	reply    func(answer any) // nil: no answer is wanted
	registry *actor.PID
	gained   map[string]bool // peers to name in Broadcasted.moving
}

// broadcasted tells the registry that the broadcaster has enqueued a broadcast for all of its peers.
type broadcasted struct{ number uint64 }

func (*broadcasted) fromTransport() {}

// broadcaster enqueues broadcasts for their peers, one broadcast at a time in the order of the registry. It is an actor
// beside the registry, which meanwhile processes other messages: 10,000 peers take about 250 ms.
//
//	registry: Broadcast ──broadcastJob──▶ broadcaster: post to each peer ──▶ answer
//	registry: following messages go on ◀──broadcasted────┘
type broadcaster struct {
	// Fixed after construction.
	node  *actors.Node
	table *routeTable
	done  chan struct{} // closed when the actor has stopped

	// Owned by Receive.
	gathering actors.Gathering // broadcasts whose writers have not started
	gathered  int              // broadcasts since the writers were last started, the first included if it did not wait
	several   bool             // there were several before that
}

// gathered starts the writers of the broadcasts before it. The broadcaster sends it to itself.
type gathered struct{}

// maxGathered is the largest number of broadcasts that wait for the start of the writers.
const maxGathered = 16

// Receive implements actor.Actor.
func (b *broadcaster) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *broadcastJob:
		b.onJob(ctx, msg)
	case *gathered:
		b.startWriters()
	case *actor.Stopped:
		b.startWriters()
		close(b.done)
	}
}

// onJob processes one broadcast. A panic fails this broadcast only.
func (b *broadcaster) onJob(ctx actor.Context, job *broadcastJob) {
	returned := false
	defer func() {
		if fault := recover(); !returned {
			b.node.Counters.Inc(actors.ActorRestarts)
			b.node.Log.Error("a broadcast panicked", "panic", fault, "stack", string(debug.Stack()))
			job.answer(&Broadcasted{Err: errInternal})
		}
		ctx.Send(job.registry, &broadcasted{number: job.number})
	}()
	result := b.broadcast(ctx, job)
	returned = true
	job.answer(result)
}

func (j *broadcastJob) answer(result *Broadcasted) {
	if reply := j.reply; reply != nil {
		j.reply = nil
		reply(result)
	}
}

// broadcast enqueues a message, encoded once, for every peer of its role except its author. The writers start behind
// the broadcasts that are in the mailbox by the end: each peer gets them in one write. Those of a broadcast that is
// expected to come alone, as the last one did, start at once.
func (b *broadcaster) broadcast(ctx actor.Context, job *broadcastJob) *Broadcasted {
	encode := b.node.Broadcast
	if b.several || b.gathered > 0 {
		encode = b.gathering.Broadcast
	}
	post, err := encode(job.msg)
	if err != nil {
		return &Broadcasted{Err: err}
	}
	result := &Broadcasted{}
	for via := range job.to.all() {
		if peer := &via.conn.peer; peer.ID == job.msg.From || job.role != "" && peer.Role != job.role {
			continue
		}
		if err := b.postVia(via, post); err != nil {
			result.Failed = append(result.Failed, SendFailure{Peer: via.conn.peer.ID, Err: err})
			continue
		}
		result.Sent++
		if job.gained[via.conn.peer.ID] {
			result.moving = append(result.moving, via.conn.peer.ID)
		}
	}
	if b.gathered++; b.gathered == 1 {
		ctx.Send(ctx.Self(), &gathered{})
	}
	if b.gathered >= maxGathered {
		b.startWriters()
	}
	return result
}

// postVia enqueues a message on a route. If its connection has ended, the message goes to the peer's present route.
func (b *broadcaster) postVia(via route, post func(to *actors.Handle) error) error {
	for {
		for _, alternate := range via.alternates {
			_ = post(alternate.handle) // the route's result counts
		}
		err := post(via.conn.handle)
		next := route{}
		if errors.Is(err, ErrClosed) {
			next = b.table.route(via.conn.peer.ID)
		}
		if next.conn == nil || next.conn == via.conn {
			return err
		}
		via = next
	}
}

// startWriters starts the writers of the gathered broadcasts, if there are any.
func (b *broadcaster) startWriters() {
	if b.gathered == 0 {
		return
	}
	b.several, b.gathered = b.gathered > 1, 0
	b.gathering.Flush()
}
