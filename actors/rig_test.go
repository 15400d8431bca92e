package actors

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// rig is one connection's actor under a parent that plays the registry. The test plays the peer.
type rig struct {
	*sockettest.Network
	t       *testing.T
	node    *Node
	parent  *registryDouble
	pid     *actor.PID // the parent's
	sink    *record
	dedup   *seenDouble
	log     *bytes.Buffer
	random  *randomDouble
	spawned sync.WaitGroup
	ln      *sockettest.Listener
	slot    *Slot // of the latest connection
}

// defaultLimits returns the limits of a default node.
func defaultLimits() Limits {
	return Limits{
		MaxMessageSize: 1 << 20, PingInterval: 30 * time.Second, PongTimeout: 10 * time.Second,
		HandshakeTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, RateBurst: 100, RateRefill: 50,
		MaxClockSkew: 5 * time.Minute, QueueMessages: 4096, QueueBytes: 8 << 20, InboundBytes: 2 << 20,
	}
}

// stallWriter stalls the network towards the peer and enqueues more than the socket takes.
func (r *rig) stallWriter() {
	r.Stall(sockettest.HereIP, sockettest.ThereIP)
	for range 4 {
		_ = r.post("big", 200_000)
	}
}

// newRig returns a listening rig. Only in a bubble.
func newRig(t *testing.T, adjust ...func(*Limits)) *rig {
	t.Helper()
	limits := defaultLimits()
	for _, change := range adjust {
		change(&limits)
	}
	r := &rig{
		Network: sockettest.NewNetwork(), t: t, log: &bytes.Buffer{}, random: &randomDouble{},
		sink:  &record{noting: func(m *wire.Message) string { return string(m.Type) + " " + m.ID }},
		dedup: &seenDouble{ids: make(map[string]bool)},
	}
	r.node = &Node{
		System: newSystem(), Keys: newKeys(t, "here"), Limits: limits,
		Counters: &Counters{}, Drops: &DropReports{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnReply: func(string, *wire.Message) {},
		Wall:    time.Now, Born: time.Now(), Rand: r.random, Spawn: r.spawned.Go, Writers: &Activity{Workers: NewWorkers(4)},
	}
	r.node.LimitedLog = NewLimitedLogger(r.node.Log)
	r.parent = &registryDouble{rig: r, tokens: limits.RateBurst}
	r.pid = r.node.System.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return r.parent }))
	r.ln = sockettest.Serve(t, r.Here, func(w http.ResponseWriter, req *http.Request) {
		slot := r.spawn(Opening{Direction: Inbound, Remote: req.RemoteAddr})
		socket, err := socket.Accept(w, req, r.node.Limits.Socket())
		if err != nil {
			slot.Fail(err)
			return
		}
		slot.Attach(socket)
	})
	t.Cleanup(r.end)
	return r
}

// end stops everything. A goroutine that is left makes the bubble fail.
func (r *rig) end() {
	_ = r.node.System.Root.StopFuture(r.pid).Wait()
	r.spawned.Wait()
	r.node.Writers.Workers.Close()
	time.Sleep(2 * time.Second) // the dead-letter throttle of the actor library
}

// spawn asks the parent for a connection's actor.
func (r *rig) spawn(opening Opening) *Slot {
	result, err := r.node.System.Root.RequestFuture(r.pid, &spawnOrder{opening}, time.Minute).Result()
	if err != nil {
		r.t.Error(err)
		return nil
	}
	r.parent.mu.Lock()
	defer r.parent.mu.Unlock()
	r.slot = result.(*Slot)
	return r.slot
}

func (r *rig) welcome(tokens float64) *Welcome {
	limiter := NewPeerRateLimiter(r.node.Limits.RateBurst, r.node.Limits.RateRefill, time.Now())
	for range int(r.node.Limits.RateBurst - tokens) {
		limiter.Take(time.Now())
	}
	return &Welcome{
		Inbox: NewInbox(r.sink, r.node.Counters, r.node.LimitedLog, r.node.Writers), Dedup: r.dedup,
		Limiter: limiter,
	}
}

// tell sends a message to the connection's actor, like the registry.
func (r *rig) tell(message any) { r.slot.handle.tell(message) }

// reports returns the reports of all connections so far.
func (r *rig) reports() []any {
	synctest.Wait()
	r.parent.mu.Lock()
	defer r.parent.mu.Unlock()
	return slices.Clone(r.parent.reports)
}

// reportsOf returns the reports of one type.
func reportsOf[T any](r *rig) (of []T) {
	for _, report := range r.reports() {
		if match, ok := report.(T); ok {
			of = append(of, match)
		}
	}
	return of
}

// ended returns the end of the only connection. It fails the test if the connection has not ended.
func (r *rig) ended() End {
	r.t.Helper()
	all := reportsOf[*Ended](r)
	if len(all) != 1 {
		r.t.Fatalf("%d reports of an end, want 1", len(all))
	}
	return all[0].End
}

// stopped reports whether the actor has stopped and its slot is free.
func (r *rig) stopped() bool {
	synctest.Wait()
	r.parent.mu.Lock()
	defer r.parent.mu.Unlock()
	return r.parent.stopped > 0
}

// want compares counters by name.
func (r *rig) want(counts map[Counter]uint64) {
	r.t.Helper()
	synctest.Wait()
	for name, want := range counts {
		if got := r.node.Counters.Get(name); got != want {
			r.t.Errorf("%v = %d, want %d", name, got, want)
		}
	}
}

// secretWith returns the shared secret of the node and the holder of keys.
func (r *rig) secretWith(keys *crypto.NodeManager) crypto.SharedSecret {
	secret, err := keys.SharedSecret(r.node.Keys.PublicKey())
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// dialHere starts an outbound connection of the node to the test's peer and returns its slot.
func (r *rig) dialHere(expect string) *Slot {
	challenge, err := crypto.GenerateChallenge(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	slot := r.spawn(Opening{
		Direction: Outbound, Remote: sockettest.ThereIP, ExpectID: expect,
		Challenge: [32]byte(challenge),
	})
	r.node.Spawn(func() {
		socket, err := socket.Dial(context.Background(), "ws://10.0.0.2:9091/ws", r.Here.DialContext, nil,
			r.node.Limits.Socket())
		if err != nil {
			slot.Fail(err)
			return
		}
		slot.Attach(socket)
	})
	return slot
}
