package hostile

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// TestHandlerPanicEndsNoConnection: one peer's messages make the handler panic, another's make it wait. Both
// connections stay open, and a third peer is served.
func TestHandlerPanicEndsNoConnection(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	n := nodetest.Start(t, nodetest.Options{OnMessage: func(_ *supervisor.PeerConnection, msg *wire.Message) {
		switch msg.Type {
		case "panic":
			panic("a handler panics")
		case "block":
			<-release
		}
	}})
	defer free()
	loud, stuck, other := join(n, refpeer.Options{}), join(n, refpeer.Options{}), join(n, refpeer.Options{})
	for _, h := range []*honest{loud, stuck, other} {
		h.say("hello", nil)
	}
	if _, err := stuck.Send("block", n.ID(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := loud.Send("panic", n.ID(), nil); err != nil {
			t.Fatal(err)
		}
		loud.say("chat", i)
		other.say("chat", i)
	}
	if got := n.Counter("handlerPanics"); got != 20 {
		t.Errorf("handlerPanics is %d, want 20", got)
	}
	lines, _ := n.Log.Lines("a message handler panicked")
	if lines == 0 || !strings.Contains(n.Log.String(), "panic_test.go") {
		t.Errorf("%d lines of log, want the panic with its stack:\n%s", lines, n.Log)
	}
	for _, h := range []*honest{loud, stuck, other} {
		h.requireOpen()
	}
	free()
	stuck.say("chat", "free again")
}

// TestActorPanicEndsOneConnection: a connection whose actor panics ends and frees its slot; others stay.
func TestActorPanicEndsOneConnection(t *testing.T) {
	t.Parallel()
	const most = 4
	n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.MaxConns = most }})
	stays := join(n, refpeer.Options{})
	stays.say("hello", nil)
	for range 3 * most {
		h := join(n, refpeer.Options{})
		h.say("hello", nil)
		must(t, n.Faults.Crash(n.GetConnection(h.self.ID)))
		h.awaitEnd()
		n.AwaitDown(h.self.ID)
		n.AwaitConnections(1, 0)
	}
	stays.say("chat", "still here")
	if got := n.Counter("actorRestarts"); got != 3*most {
		t.Errorf("actorRestarts is %d, want %d", got, 3*most)
	}
}

// TestRegistryPanicLosesNothing: after a panic the registry has all connections, slots and the dedup set.
func TestRegistryPanicLosesNothing(t *testing.T) {
	t.Parallel()
	const most, panics = 5, 3
	system := actors.NewSystem()
	n := nodetest.Start(t, nodetest.Options{
		Config:  func(c *supervisor.TransportConfig) { c.MaxConns = most },
		Options: []supervisor.Option{supervisor.WithActorSystem(system)},
	})
	all := make([]*honest, most)
	seen := make([]refpeer.Envelope, most)
	var err error
	for i := range all {
		all[i] = join(n, refpeer.Options{})
		seen[i], err = refpeer.NewEnvelope("chat", all[i].self.ID, n.ID(), "once")
		must(t, err)
		must(t, all[i].SendEnvelope(seen[i]))
		n.AwaitMessage(seen[i].ID)
	}
	for range panics {
		system.Root.Send(n.PID(), &actors.Verified{}) // it names no connection
	}
	n.Poll("the panics", func() bool { return n.Counter("actorRestarts") == panics })
	for i, h := range all {
		must(t, h.SendEnvelope(seen[i]))
		h.say("chat", "still here")
		n.SendNew(h.self.ID, "answer", i)
		h.next("answer")
		h.requireOpen()
	}
	if got := n.Counter("messagesDuplicate"); got != most {
		t.Errorf("messagesDuplicate is %d, want %d", got, most)
	}
	if _, status, _ := tryKnock(n.URL()); status != http.StatusServiceUnavailable {
		t.Errorf("beside %d connections: HTTP status %d, want 503", most, status)
	}
	all[0].Close()
	n.AwaitConnections(most-1, 0)
	join(n, refpeer.Options{}).say("hello", nil)
}
