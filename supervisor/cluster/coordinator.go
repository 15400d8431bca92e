package cluster

import (
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/supervisor"
)

// Messages to the coordinator.
type (
	heard struct { // from the bus
		body    []byte
		respond func([]byte)
	}
	subscribed struct{ cancel func() }
	claiming   struct { // Engine.Claim
		claim   supervisor.Claim
		decided func(supervisor.ClaimVerdict)
	}
	releasing struct { // Engine.Release
		peer   string
		term   uint64
		tokens float64
	}
	awaiting struct { // Engine.AwaitFree
		peer  string
		freed func()
	}
	contested struct { // the registry has decided about a claim of another member
		by      *message
		verdict supervisor.ClaimVerdict
	}
	fetched struct { // a page of a snapshot, or the error
		member *member
		sync   *syncing
		page   *message
		err    error
	}
	refetch struct { // the timer after a failed fetch
		member *member
		sync   *syncing
	}
	bookFetched struct { // all records of a member, or the error
		member *member
		err    error
	}
	suspected struct{ member string } // nothing subscribed to one of its subjects
	probed    struct {                // whether nothing subscribes to a member's subjects
		member *member
		boot   uint64 // its start when the probe began
		gone   bool
	}
	draining struct{} // Engine.Drain
	beat     struct{} // the timer of heartbeats
	flush    struct{} // the timer of queued changes
	listing  struct { // Engine.Members
		answer chan<- []supervisor.ClusterMember
	}
)

// coordinator is the engine's actor. It owns everything but the directory, which it alone writes.
type coordinator struct {
	engine    *Engine
	directory *directory
	local     supervisor.ClusterLocal
	self      *member
	clock     uint64 // highest term seen

	drains   bool        // Drain was called
	joined   func(error) // nil: this member has joined
	joinedAt time.Time   // the latest time for joining

	pending   map[string]change // to announce, by peer
	tokens    map[string]tokens // left by former homes, by peer
	flushing  bool
	snapshots map[uint64]*snapshot // of the own claims, by number in the sequence
	claims    map[string]*ownClaim // undecided, by peer
	yielded   map[string]time.Time // by peer: when this member granted the claim of another, which has not announced it
	claimIDs  uint64
	awaits    map[string]func()   // by peer: AwaitFree
	contests  map[string]*message // by peer: the claim of another member that the registry decides

	beats   *time.Timer // nil before the first heartbeat
	cancels []func()    // of subscriptions
}

func newCoordinator(e *Engine, local supervisor.ClusterLocal, joined func(error)) *coordinator {
	self := e.seen.self
	return &coordinator{
		engine: e, directory: e.directory, local: local, self: self,
		joined: joined, joinedAt: time.Now().Add(joinWithin),
		pending: make(map[string]change), tokens: make(map[string]tokens), snapshots: make(map[uint64]*snapshot),
		claims: make(map[string]*ownClaim), yielded: make(map[string]time.Time),
		awaits: make(map[string]func()), contests: make(map[string]*message),
	}
}

// Receive implements actor.Actor. After a panic it continues with the next message.
func (c *coordinator) Receive(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			c.engine.opts.Log.Error("the cluster's actor panicked and continues",
				"panic", fault, "stack", string(debug.Stack()))
		}
	}()
	switch msg := ctx.Message().(type) {
	case *actor.Stopping:
		c.leave()
	case *subscribed:
		c.cancels = append(c.cancels, msg.cancel)
	case *heard:
		c.onHeard(msg)
	case *claiming:
		c.onClaiming(msg)
	case *awaiting:
		c.awaits[msg.peer] = msg.freed
	case *draining:
		c.drains = true
		c.onBeat()
	case *releasing:
		c.onReleasing(msg)
	case *contested:
		c.onContested(msg)
	case *fetched:
		c.onFetched(msg)
	case *refetch:
		if msg.member.sync == msg.sync {
			c.fetch(msg.member, 0)
		}
	case *bookFetched:
		c.onBookFetched(msg)
	case *suspected:
		if m := c.directory.members[msg.member]; m != nil && m != c.self && !m.lost {
			c.probe(m)
		}
	case *probed:
		c.onProbed(msg)
	case *beat:
		c.onBeat()
	case *flush:
		c.flush()
	case *listing:
		msg.answer <- c.list()
	}
}

// leave tells the other members and refuses all undecided claims.
func (c *coordinator) leave() {
	if c.beats != nil { // otherwise no other member has heard this one
		c.beats.Stop()
		c.flush()
		c.announce(&message{head: c.engine.head(kindGoodbye), pages: c.handOver()})
	}
	for _, cancel := range c.cancels {
		cancel()
	}
	for peer, claim := range c.claims {
		delete(c.claims, peer)
		claim.decided(supervisor.ClaimVerdict{})
	}
	c.endJoin(ErrLeft)
	c.directory.replace(c.self, nil)
}

func (c *coordinator) list() []supervisor.ClusterMember {
	list := make([]supervisor.ClusterMember, 0, len(c.directory.members))
	for _, m := range c.directory.members {
		entry := supervisor.ClusterMember{
			Name: m.name, Address: m.beat.address, State: m.state(), Self: m == c.self,
			Connections: int(m.beat.connections), Max: int(m.beat.limit),
		}
		if m != c.self {
			entry.Heard = c.now().Sub(m.heard)
		}
		list = append(list, entry)
	}
	return list
}

// now returns the running time, by which members become lost. It does not advance in a standstill of this process.
func (c *coordinator) now() time.Time { return c.engine.opts.Running.At(time.Now()) }
