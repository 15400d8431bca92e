package supervisor

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// A panic in the registry costs the message at hand and nothing else.
func TestRegistryPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 4, -1 })
		var others []*testNode
		for i := range 3 {
			o := startNode(t, n, 2+i)
			o.dial(node)
			others = append(others, o)
		}
		repeated := others[0].to(node.id(), "stats", nil)
		if err := others[0].Send(node.id(), repeated); err != nil {
			t.Fatal(err)
		}
		for range 20 { // more than the actor library's own supervision would take
			node.tell(&actors.Proven{}) // names no connection
			node.tell(&Send{Peer: others[1].id()})
			node.tell(&Broadcast{})
		}
		node.wantCount(actors.ActorRestarts, 60)
		node.wantPlaces(3, 0)
		for _, o := range others {
			if err := node.Send(o.id(), node.to(o.id(), "logs", nil)); err != nil || len(o.got("logs")) != 1 {
				t.Errorf("a message afterwards: %v", err)
			}
			if len(eventsOf[PeerDown](o)) != 0 {
				t.Error("a connection was lost")
			}
		}
		if err := others[0].Send(node.id(), repeated); err != nil || len(node.got("stats")) != 1 {
			t.Errorf("dedup does not hold: %d handled (%v)", len(node.got("stats")), err)
		}
		startNode(t, n, 8).dial(node)
		if _, err := startNode(t, n, 9).Connect(&Peer{Address: node.addr}); err == nil {
			t.Error("the fifth of four got in: places are not exact any more")
		}
		node.wantPlaces(4, 0)
	})
}

// A panic that leaves the tables in between must not leave a dead connection in them.
func TestRegistryPanicWhileLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		panics := false
		clock := WithClock(func() time.Time {
			if panics {
				panics = false
				panic("clock: injected")
			}
			return time.Now()
		})
		node := startNode(t, n, 1, func(s *nodeSetup) { s.options = append(s.options, clock) })
		other := startNode(t, n, 2)
		other.dial(node)
		synctest.Wait()
		panics = true
		for _, link := range n.Links("10.0.0.1", "10.0.0.2") {
			link.Cut()
		}
		synctest.Wait()
		if node.ConnectedPeers() != 0 || node.GetConnection(other.id()) != nil {
			t.Error("a connection that is gone is still in the directory")
		}
		node.wantPlaces(0, 0)
		if err := node.Send(other.id(), node.to(other.id(), "x", nil)); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send: %v, want ErrNotConnected", err)
		}
		other.dial(node)
		node.wantPlaces(1, 0)
	})
}

// A connection's actor that panics ends its connection; the place is free, and a peer kept connected comes back.
func TestConnectionPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
		for i := range 5 {
			a.wantPlaces(1, 0)
			b.wantPlaces(1, 0)
			a.GetConnection(b.id()).Crash()
			synctest.Wait()
			a.wantPlaces(0, 0)
			b.wantPlaces(0, 0)
			a.wantCount(actors.ActorRestarts, uint64(i+1))
			time.Sleep(time.Minute)
		}
		if down := eventsOf[PeerDown](a); len(down) != 5 {
			t.Errorf("%d down events, want 5", len(down))
		}
	})
}

// A program may order nonsense; it harms nobody else.
func TestSubscribeNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		b.tell(&Subscribe{})
		b.tell(&Unsubscribe{})
		b.tell(&Subscribe{})
		synctest.Wait()
		if err := a.Send(b.id(), a.to(b.id(), "stats", nil)); err != nil || len(b.got("stats")) != 1 {
			t.Errorf("%v; %d handled after somebody has subscribed nobody", err, len(b.got("stats")))
		}
		b.wantCount(actors.HandlerPanics, 0)
	})
}

// Redialling goes on with full jitter below a bound that doubles to a minute, and comes back when the peer does.
func TestRedial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(30 * time.Minute)
		failed := eventsOf[DialFailed](a)
		if len(failed) < 30 {
			t.Fatalf("%d dials in half an hour, want at least 30", len(failed))
		}
		for i, f := range failed {
			bound := min(time.Minute, 500*time.Millisecond<<min(i, 10))
			if f.RetryIn < 0 || f.RetryIn > bound || f.Address != "10.0.0.2:9091" || f.Err == nil {
				t.Errorf("failure %d: %+v, want a pause up to %v", i, f, bound)
			}
		}
		a.wantCount(actors.DialsFailed, uint64(len(failed)))
		b := startNode(t, n, 2)
		time.Sleep(time.Minute)
		a.wantPlaces(1, 0)
		// A minute of health begins the backoff anew.
		time.Sleep(2 * time.Minute)
		before := len(eventsOf[DialFailed](a))
		b.stop()
		n.Attach("10.0.0.2")
		time.Sleep(10 * time.Second)
		after := eventsOf[DialFailed](a)
		if len(after) == before || after[before].RetryIn > time.Second {
			t.Errorf("the first pauses after health: %+v", after[before:])
		}
	})
}

// Another node at the address of a peer that is kept: the dial fails, and the book keeps what it had.
func TestWrongIdentityOnRedial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		want, _ := a.book.Get(b.id())
		if !want.Persistent || want.Address != b.addr {
			t.Fatalf("the book says %+v", want)
		}
		b.stop()
		imposter := startNode(t, n, 2)
		time.Sleep(5 * time.Minute)
		if a.GetConnection(imposter.id()) != nil {
			t.Error("connected to another node than the one that is kept")
		}
		failed := eventsOf[DialFailed](a)
		if len(failed) == 0 || !errors.Is(failed[len(failed)-1].Err, actors.ErrWrongIdentity) {
			t.Errorf("dials failed: %v", failed)
		}
		got, _ := a.book.Get(b.id())
		got.LastSeen = want.LastSeen
		if got != want || len(a.book.List()) != 1 {
			t.Errorf("the book says %+v, want %+v; %d peers", got, want, len(a.book.List()))
		}
	})
}

func TestConnectWrongIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		asked := Peer{Address: b.addr, ID: fmt.Sprintf("%032d", 7)}
		given := asked
		if _, err := a.Connect(&given); !errors.Is(err, actors.ErrWrongIdentity) || given != asked {
			t.Errorf("not connected: %v; the peer is now %+v", err, given)
		}
		// Nor is another one's connection an answer, once there is one to that address.
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		c, err := a.Connect(&given)
		if err == nil {
			t.Errorf("asked for %s, got the connection of %s", given.ID, c.Peer().ID)
		}
		a.wantPlaces(1, 0)
	})
}

func TestConnectFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns = 1 })
		b, c := startNode(t, n, 2), startNode(t, n, 3)
		var named *PeerError
		if _, err := a.Connect(&Peer{Address: "10.0.0.9:1"}); !errors.As(err, &named) || named.Peer != "10.0.0.9:1" {
			t.Errorf("nobody there: %v", err)
		}
		if _, err := a.Connect(&Peer{Address: "nonsense"}); err == nil {
			t.Error("connected to nonsense")
		}
		first := a.dial(b)
		if again, err := a.Connect(&Peer{Address: b.addr, ID: b.id()}); err != nil || again != first {
			t.Errorf("connecting again: %v, %v", again, err)
		}
		if _, err := a.Connect(&Peer{Address: c.addr}); !errors.Is(err, ErrNoRoom) {
			t.Errorf("beyond MaxConns: %v, want ErrNoRoom", err)
		}
		if _, err := a.Connect(&Peer{Address: a.addr}); err == nil {
			t.Error("connected to itself")
		}
		a.wantPlaces(1, 0)
	})
}

// Both sides dial at once: one connection carries, the same on both sides, and the other one goes.
func TestSimultaneousDial(t *testing.T) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			small, large := sortedPair(t, n)
			n.SetLatency("10.0.0.1", "10.0.0.2", latency)
			n.SetLatency("10.0.0.2", "10.0.0.1", latency)
			done := make(chan error, 2)
			go func() { _, err := small.Connect(&Peer{Address: large.addr, ID: large.id()}); done <- err }()
			go func() { _, err := large.Connect(&Peer{Address: small.addr, ID: small.id()}); done <- err }()
			for range 2 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			time.Sleep(20 * time.Second)
			small.wantPlaces(1, 0)
			large.wantPlaces(1, 0)
			if d := small.GetConnection(large.id()).Direction(); d != Outbound {
				t.Errorf("%v: the smaller ID's side carries an %v connection, want its own", latency, d)
			}
			if d := large.GetConnection(small.id()).Direction(); d != Inbound {
				t.Errorf("%v: the larger ID's side carries an %v connection", latency, d)
			}
			if a, b := len(eventsOf[PeerUp](small)), len(eventsOf[PeerDown](small)); a != 1 || b != 0 {
				t.Errorf("%d up and %d down events, want 1 and none", a, b)
			}
		})
	}
}

// A peer comes back while its old connection still stands: the new one takes over once proven, long before the old one
// times out.
func TestComeback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		keys, err := crypto.NewEphemeralNodeManager("traveller", crypto.RoleDual)
		if err != nil {
			t.Fatal(err)
		}
		same := func(s *nodeSetup) { s.keys = keys }
		old := startNode(t, n, 2, same)
		old.dial(node)
		old.host.Crash(true) // without a word
		back := startNode(t, n, 3, same)
		back.dial(node)
		node.wantPlaces(2, 0)
		if err := node.Send(back.id(), node.to(back.id(), "stats", nil)); err != nil || len(back.got("stats")) != 1 {
			t.Errorf("%v; %d arrived by the new connection, want 1", err, len(back.got("stats")))
		}
		time.Sleep(time.Minute)
		node.wantPlaces(1, 0)
		if down := eventsOf[PeerDown](node); len(down) != 0 {
			t.Errorf("down %+v, though the peer is there", down)
		}
	})
}

func TestRevokeWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other, third := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		other.dial(node)
		third.dial(node)
		if err := node.Revoke(t.Context(), other.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		if down := eventsOf[PeerDown](other); len(down) != 1 || down[0].Reason != wire.ReasonNotAuthorized {
			t.Errorf("down %+v", down)
		}
		if _, err := other.Connect(&Peer{Address: node.addr}); !errors.Is(err, ErrRefused) {
			t.Errorf("coming back: %v, want a refusal", err)
		}
		if _, err := node.Connect(&Peer{Address: other.addr}); err == nil {
			t.Error("dialled a revoked peer")
		}
		node.wantPlaces(1, 0)
		if err := node.SetAuthMode(t.Context(), PeerAuthAllowlist); err != nil {
			t.Fatal(err)
		}
		node.wantPlaces(0, 0)
	})
}

// A reconnect brings no fresh bucket.
func TestReconnectBringsNoTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.RateRefill = 0.001 }), startNode(t, n, 2)
		for range 3 {
			c := other.dial(node)
			for range 60 {
				if err := c.Send(other.to(node.id(), "stats", nil)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			c.GracefulClose("again", wire.DisconnectNormal)
			time.Sleep(2 * time.Second)
		}
		if got := len(node.got("stats")); got > 100 || got < 90 {
			t.Errorf("%d of 180 handled over three connections, want about the one bucket of 100", got)
		}
	})
}
