package supervisor

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// resumedRegistry is a registry with three held Send messages. It notes the answers in order.
type resumedRegistry struct {
	registry
	hold    *hold
	state   peerState
	answers []string
}

// newResumedRegistry returns a registry whose second message goes to the peer second, and whose answer to that message
// first calls fault, unless nil. The connection of the peer "broken" has no handle, so that Post panics.
func newResumedRegistry(t *testing.T, second string, fault func()) *resumedRegistry {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	r := &resumedRegistry{hold: &hold{ended: make(chan struct{}), messages: 3}, registry: registry{
		routes: newRouteTable(), cfg: &TransportConfig{QueueMessages: 10, QueueBytes: 1 << 20},
		node: &actors.Node{Counters: &actors.Counters{}, Log: log}, states: map[string]*peerState{},
		transport: &Transport{},
	}}
	r.routes.set("broken", &PeerConnection{self: "me"}, nil)
	chat, err := wire.NewMessage("chat", "me", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, peer := range []string{"gone", second, "gone"} {
		held := heldSend{msg: &Send{Peer: peer, Message: chat}, hold: r.hold, reply: r.note(fmt.Sprint(i+1), nil)}
		if i == 1 {
			held.reply = r.note("2", fault)
		}
		r.state.heldSends = append(r.state.heldSends, held)
	}
	r.reply = r.note("current", nil)
	return r
}

// note returns a function that notes an answer, after a fault unless nil.
func (r *resumedRegistry) note(name string, fault func()) func(any) {
	return func(answer any) {
		if fault != nil {
			fault()
		}
		if sent, ok := answer.(*Sent); ok && errors.Is(sent.Err, errInternal) {
			name += " internal"
		}
		r.answers = append(r.answers, name)
	}
}

// A held Send message whose handling or answer panics, or calls runtime.Goexit, fails alone: the others get their
// answers, all leave the hold, and the registry goes on with its current message unless its goroutine has ended.
func TestResumedSendFailsAlone(t *testing.T) {
	injected := func() { panic("injected") }
	for name, c := range map[string]struct {
		second   string // peer of the second message
		fault    func() // of its answer
		want     string
		restarts uint64
	}{
		"no fault":         {"gone", nil, "[1 2 3 current]", 0},
		"handling panics":  {"broken", nil, "[1 2 internal 3 current]", 1},
		"answering panics": {"gone", injected, "[1 3 current]", 1},
		"answering exits":  {"gone", runtime.Goexit, "[1 3]", 0},
		"both panic":       {"broken", injected, "[1 3 current]", 2},
	} {
		r, done := newResumedRegistry(t, c.second, c.fault), make(chan any)
		go func() {
			defer func() { done <- recover() }()
			r.resumeSends(&r.state)
			r.answer(&Connected{})
		}()
		if fault := <-done; fault != nil {
			t.Errorf("%s: %v left resumeSends", name, fault)
		}
		if got := fmt.Sprint(r.answers); got != c.want {
			t.Errorf("%s: answers %s, want %s", name, got, c.want)
		}
		restarts := r.node.Counters.Get(actors.ActorRestarts)
		if restarts != c.restarts || r.hold.messages != 0 || r.state.heldSends != nil {
			t.Errorf("%s: %d restarts, want %d; %d messages in the hold", name, restarts, c.restarts, r.hold.messages)
		}
	}
}

// A Send without a message waits for the end of the hold like others, and fails then.
func TestHeldSendWithoutMessageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()))
		slowPath(n, "10.0.0.1", "10.0.0.2")
		connect := a.heldDial(b.addr)
		time.Sleep(6500 * time.Millisecond)
		sent := later(func() error { return a.Send(b.id(), nil) })
		program := later(func() error { return order[*Sent](t, a, &Send{Peer: b.id()}).Err })
		wantResult(t, "Send", sent, errNoMessage, 1500*time.Millisecond)
		wantResult(t, "message", program, errNoMessage, 1500*time.Millisecond)
		wantResult(t, "Connect", connect, nil, 8*time.Second)
		a.wantCount(actors.ActorRestarts, 0)
	})
}
