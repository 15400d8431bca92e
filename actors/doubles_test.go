package actors

import (
	"crypto/rand"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// registryDouble spawns connections, records their reports, and welcomes them unless it is set to refuse or to be
// silent.
type registryDouble struct {
	mu      sync.Mutex
	rig     *rig
	reports []any
	refuse  string
	silent  bool
	slow    bool // does not answer Verified
	quiet   bool // knows that peers announce features
	hold    bool // knows that peers have spoken session/1
	tokens  float64
	faults  int
	stopped int
}

type spawnOrder struct{ opening Opening }

func (d *registryDouble) Receive(ctx actor.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch msg := ctx.Message().(type) {
	case *spawnOrder:
		slot, err := SpawnPeer(ctx, d.rig.node, msg.opening)
		if err != nil {
			panic(err)
		}
		ctx.Respond(slot)
	case *Identified:
		d.reports = append(d.reports, msg)
		switch {
		case d.silent:
		case d.refuse != "":
			ctx.Send(msg.PID, &Refuse{Reason: d.refuse})
		default:
			w := d.rig.welcome(d.tokens)
			w.Quiet, w.Hold = d.quiet, d.hold
			ctx.Send(msg.PID, w)
		}
	case *Verified:
		d.reports = append(d.reports, msg)
		if !d.slow {
			ctx.Send(msg.PID, &RoutePublished{})
		}
	case toRegistry:
		d.reports = append(d.reports, msg)
	case *actor.Terminated:
		d.stopped++
	}
}

// HandleFailure stops a connection that panicked, like the registry.
func (d *registryDouble) HandleFailure(_ *actor.ActorSystem, s actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any,
) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults++
	s.StopChildren(child)
}

// seenDouble is a Deduplicator with a set of IDs and a hook.
type seenDouble struct {
	mu    sync.Mutex
	ids   map[string]bool
	full  bool
	hook  func(*wire.Message)
	keyed []string // IDs with a key
}

func (s *seenDouble) Seen(msg *wire.Message, _ time.Time) Verdict {
	if s.hook != nil {
		s.hook(msg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	verdict := s.verdict(msg)
	if verdict == Fresh {
		s.ids[msg.ID] = true
	}
	return verdict
}

// SeenInSession panics if the key is that of another ID.
func (s *seenDouble) SeenInSession(msg *wire.Message, key uint64, now time.Time) Verdict {
	if key != 0 {
		if key != keyOf(msg.ID) {
			panic("a key of another ID")
		}
		s.mu.Lock()
		s.keyed = append(s.keyed, msg.ID)
		s.mu.Unlock()
	}
	return s.Seen(msg, now)
}

func (s *seenDouble) Known(msg *wire.Message, _ time.Time) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verdict(msg)
}

func (*seenDouble) Expect([]byte) {}

// ExpectKeys sets keys that differ for different IDs.
func (*seenDouble) ExpectKeys(messages []wire.Message, keys []uint64) {
	for i := range messages {
		keys[i] = keyOf(messages[i].ID)
	}
}

// SeenTogether implements Deduplicator.
func (s *seenDouble) SeenTogether(messages []wire.Message, keys []uint64, now time.Time) (int, Verdict) {
	for i := range messages {
		if verdict := s.SeenInSession(&messages[i], keys[i], now); verdict != Fresh {
			return i, verdict
		}
	}
	return len(messages), Fresh
}

func keyOf(id string) uint64 {
	key := fnv.New64a()
	_, _ = key.Write([]byte(id))
	return key.Sum64()
}

func (s *seenDouble) verdict(msg *wire.Message) Verdict {
	switch {
	case s.full:
		return Full
	case s.ids[msg.ID]:
		return Duplicate
	}
	return Fresh
}

// takeSome implements Limiter.TakeSome by Take.
func takeSome(l Limiter, now time.Time, n int) int {
	for i := range n {
		if !l.Take(now) {
			return i
		}
	}
	return n
}

// randomDouble panics on demand, and counts its use.
type randomDouble struct {
	panics bool
	reads  atomic.Int32
}

func (r *randomDouble) Read(b []byte) (int, error) {
	r.reads.Add(1)
	if r.panics {
		panic("random: injected")
	}
	return rand.Read(b)
}
