package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// pinnedBook makes a node start with a pin of a peer in its book.
func pinnedBook(id string) func(*nodeSetup) {
	return func(s *nodeSetup) { s.book.Add(Peer{ID: id, Name: "pinned", Binds: true, Session: true}) }
}

func sessionsOff(s *nodeSetup) { s.cfg.Session = SessionOff }

// result is the error of a call and its duration.
type result struct {
	err  error
	took time.Duration
}

// later runs a call on a goroutine of its own.
func later(call func() error) <-chan result {
	done, began := make(chan result, 1), time.Now()
	go func() {
		err := call()
		done <- result{err, time.Since(began)}
	}()
	synctest.Wait()
	return done
}

// wantResult checks the error of a call, nil for none, and its duration.
func wantResult(t *testing.T, what string, done <-chan result, want error, took time.Duration) {
	t.Helper()
	if got := <-done; !errors.Is(got.err, want) || got.took != took {
		t.Errorf("%s: %v after %v, want %v after %v", what, got.err, got.took, want, took)
	}
}

// heldDial starts a dial of a node to an address. It takes 6 s until the ack if every way takes 1 s.
func (n *testNode) heldDial(address string) <-chan result {
	return later(func() error {
		_, err := n.Connect(&Peer{Address: address})
		return err
	})
}

func slowPath(n *memnet.Network, a, b string) {
	n.SetLatency(a, b, time.Second)
	n.SetLatency(b, a, time.Second)
}

// A pinned peer has switched its sessions off. Connect and messages wait for its first bound frame, one round trip
// after the ack. The pin stays.
func TestHoldEndsWithABoundFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()))
		slowPath(n, "10.0.0.1", "10.0.0.2")
		connect := a.heldDial(b.addr)
		time.Sleep(6500 * time.Millisecond)
		sent := later(func() error { return a.Send(b.id(), a.to(b.id(), "chat", 1)) })
		program := later(func() error { return order[*Sent](t, a, &Send{b.id(), a.to(b.id(), "chat", 2)}).Err })
		asked := later(func() error {
			_, err := a.Request(b.id(), a.to(b.id(), wire.MsgPing, wire.PingPayload{}))
			return err
		})
		if len(a.seen()) != 0 || a.GetConnection(b.id()) != nil || len(connect)+len(sent)+len(program)+len(asked) != 0 {
			t.Errorf("before the first frame: events %+v, route %v", a.seen(), a.GetConnection(b.id()))
		}
		if result := a.Broadcast(a.to("", "chat", 0)); result.Sent != 0 || len(result.Failed) != 0 {
			t.Errorf("a broadcast: %+v, want it to skip the peer", result)
		}
		wantResult(t, "Connect", connect, nil, 8*time.Second)
		wantResult(t, "Send", sent, nil, 1500*time.Millisecond)
		wantResult(t, "message", program, nil, 1500*time.Millisecond)
		wantResult(t, "Request", asked, nil, 3500*time.Millisecond)
		if got := len(b.got("chat")); got != 2 {
			t.Errorf("%d messages arrived, want 2", got)
		}
		up := eventsOf[PeerUp](a)
		if known, _ := a.book.Get(b.id()); !known.Session || len(up) != 1 || !up[0].Verified || len(a.seen()) != 1 {
			t.Errorf("the book has %+v, events %+v", known, a.seen())
		}
	})
}

// Modes that pin nothing do not hold a dial to a deployed node: Connect returns with the ack.
func TestModesWithoutPinsHoldNoDial(t *testing.T) {
	for _, mode := range []SessionMode{SessionOff, SessionPrefer} {
		t.Run(mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				id := startDeployed(t, n, 30*time.Second).Identity().ID
				a := startNode(t, n, 1, pinnedBook(id), inMode(mode))
				slowPath(n, "10.0.0.1", "10.0.0.2")
				wantResult(t, "Connect", a.heldDial("10.0.0.2:9091"), nil, 6*time.Second)
			})
		})
	}
}

// A connection that the pinned peer has dialled is not held: its first frame was the proof.
func TestInboundConnectionIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()))
		b.dial(a)
		if err := a.Send(b.id(), a.to(b.id(), "chat", 1)); err != nil || len(b.got("chat")) != 1 {
			t.Errorf("%v, %d messages arrived", err, len(b.got("chat")))
		}
	})
}

// A pinned peer was rolled back to a release that marks no frames. Its first frame ends the hold and the pin, with one
// warning a day.
func TestUnmarkedFrameEndsHoldAndPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployedWith(t, n, refpeer.DeployedOptions{PingInterval: 30 * time.Second, Worker: true})
		id, log := d.Identity().ID, newLinesLog()
		a := startNode(t, n, 1, pinnedBook(id), func(s *nodeSetup) {
			s.options = append(s.options, WithLogger(slog.New(log)))
		})
		slowPath(n, "10.0.0.1", "10.0.0.2")
		for round, want := range []int{1, 1, 2} {
			a.book.Update(id, func(p *Peer) { p.Binds, p.Session = true, true })
			wantResult(t, "Connect", a.heldDial("10.0.0.2:9091"), nil, 8*time.Second)
			synctest.Wait() // for the log
			if known, _ := a.book.Get(id); known.Session || known.Binds || log.count("its pin was removed") != want {
				t.Errorf("round %d: the book has %+v, %d warnings, want %d", round, known, log.count("its pin was removed"), want)
			}
			if err := a.Send(id, a.to(id, "chat", round)); err != nil {
				t.Error(err)
			}
			if err := a.Disconnect(t.Context(), id, false); err != nil {
				t.Error(err)
			}
			time.Sleep(13 * time.Hour)
		}
		if got := len(d.Received()); got != 3 {
			t.Errorf("%d messages arrived, want 3", got)
		}
	})
}

// No frame of the peer arrives: a relay has forwarded the handshake only. The hold ends after PingInterval and
// PongTimeout. Messages fail, and the pin stays.
func TestHoldEndsAtTheSilenceLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()), func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.9:9091"} })
		startAckRelay(t, n.Attach("10.0.0.9"), b.addr, func(map[string]any) {})
		connect := a.heldDial("10.0.0.9:9091") // the first dial found no relay
		sent := later(func() error { return a.Send(b.id(), a.to(b.id(), "chat", 1)) })
		program := later(func() error { return order[*Sent](t, a, &Send{b.id(), a.to(b.id(), "chat", 2)}).Err })
		wantResult(t, "Connect", connect, ErrHandshake, 40*time.Second)
		wantResult(t, "Send", sent, ErrNotConnected, 40*time.Second)
		wantResult(t, "message", program, ErrNotConnected, 40*time.Second)
		a.wantCount(actors.PeersTimedOut, 1)
		if known, _ := a.book.Get(b.id()); !known.Session || len(eventsOf[PeerUp](a))+len(eventsOf[PeerDown](a)) != 0 {
			t.Errorf("the book has %+v, events %+v", known, a.seen())
		}
		failed := eventsOf[DialFailed](a)
		if err := failed[len(failed)-1].Err; !strings.HasSuffix(err.Error(), "did not prove in time that it holds its key") {
			t.Errorf("the dial failed with %v", err)
		}
		a.dial(b)
		if got := b.got("chat"); len(got) != 0 {
			t.Errorf("%d messages were carried to the next connection", len(got))
		}
	})
}

// While a dial is held, the peer's own connection is verified by a bound frame: the messages go there at once.
func TestHeldMessagesTakeTheProvenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()))
		startAckRelay(t, n.Attach("10.0.0.9"), b.addr, func(map[string]any) {})
		connect := a.heldDial("10.0.0.9:9091")
		sent := later(func() error { return a.Send(b.id(), a.to(b.id(), "chat", 1)) })
		program := later(func() error { return order[*Sent](t, a, &Send{b.id(), a.to(b.id(), "chat", 2)}).Err })
		time.Sleep(10 * time.Second)
		b.dial(a)
		wantResult(t, "Send", sent, nil, 10*time.Second)
		wantResult(t, "message", program, nil, 10*time.Second)
		if got := len(b.got("chat")); got != 2 {
			t.Errorf("%d messages arrived, want 2", got)
		}
		wantResult(t, "Connect", connect, ErrHandshake, 40*time.Second)
		if c := a.GetConnection(b.id()); c == nil || c.Direction() != Inbound || len(eventsOf[PeerDown](a)) != 0 {
			t.Errorf("the route is %+v, events %+v", c, a.seen())
		}
	})
}

// The messages that wait have the limits of the peer's queue. A caller that has given up takes no place.
func TestHoldLimitsWaitingMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2, sessionsOff)
		a := startNode(t, n, 1, pinnedBook(b.id()), func(s *nodeSetup) {
			s.cfg.QueueMessages, s.cfg.QueueBytes = 3, 3000
		})
		startAckRelay(t, n.Attach("10.0.0.9"), b.addr, func(map[string]any) {})
		connect := a.heldDial("10.0.0.9:9091")
		send := func(ctx context.Context, size int) <-chan result {
			return later(func() error { return a.SendContext(ctx, b.id(), a.to(b.id(), "chat", strings.Repeat("x", size))) })
		}
		first := send(t.Context(), 998) // with the quotes 1000 bytes
		ctx, cancel := context.WithCancel(t.Context())
		second := send(ctx, 998)
		wantResult(t, "too many bytes", send(t.Context(), 999), ErrQueueFull, 0)
		third := send(t.Context(), 98) // leaves space for 900 bytes
		wantResult(t, "too many messages", send(t.Context(), 0), ErrQueueFull, 0)
		program := order[*Sent](t, a, &Send{b.id(), a.to(b.id(), "chat", nil)})
		if !errors.Is(program.Err, ErrQueueFull) {
			t.Errorf("a program's message too many: %v", program.Err)
		}
		cancel()
		wantResult(t, "withdrawn", second, context.Canceled, 0)
		fourth := send(t.Context(), 998)
		for _, done := range []<-chan result{first, third, fourth} {
			wantResult(t, "waiting", done, ErrNotConnected, 40*time.Second)
		}
		<-connect
	})
}

// The last caller of a held dial withdraws, or the node stops: no connection and no waiting message is left.
func TestHeldDialEndsWithItsCaller(t *testing.T) {
	for _, how := range []string{"withdrawn", "disconnected", "stopped"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { endHeldDial(t, how) })
		})
	}
}

func endHeldDial(t *testing.T, how string) {
	n := memnet.New(1)
	b := startNode(t, n, 2, sessionsOff)
	a := startNode(t, n, 1, pinnedBook(b.id()))
	startAckRelay(t, n.Attach("10.0.0.9"), b.addr, func(map[string]any) {})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	connect := later(func() error {
		_, err := a.ConnectContext(ctx, &Peer{Address: "10.0.0.9:9091"})
		return err
	})
	sent := later(func() error { return a.Send(b.id(), a.to(b.id(), "chat", 1)) })
	want := context.Canceled
	switch how {
	case "withdrawn":
		cancel()
	case "disconnected":
		want = ErrNotConnected
		if err := a.Disconnect(t.Context(), b.id(), false); err != nil {
			t.Error(err)
		}
	case "stopped":
		want = ErrStopped
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}
	if got := <-connect; !errors.Is(got.err, want) {
		t.Errorf("Connect: %v, want %v", got.err, want)
	}
	if got := <-sent; !errors.Is(got.err, ErrNotConnected) || got.took >= 10*time.Second {
		t.Errorf("Send: %v after %v, want ErrNotConnected before the hold ends by itself", got.err, got.took)
	}
	if how == "stopped" {
		return
	}
	time.Sleep(10 * time.Second)
	a.wantSlots(0, 0)
	if len(a.seen()) != 0 {
		t.Errorf("events %+v", a.seen())
	}
}
