package supervisor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Redialling continues with full jitter below a bound that doubles up to a minute, and succeeds when the peer is back.
func TestRedialBacksOffWithJitter(t *testing.T) {
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
		a.wantSlots(1, 0)
		// A connection that lasts ten seconds resets the backoff.
		time.Sleep(10 * time.Second)
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

// Another node answers at the address of a kept peer: the dial fails, and the book keeps its entry.
func TestRedialRefusesWrongIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the peer has bound a frame
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

func TestConnectRefusesWrongIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		asked := Peer{Address: b.addr, ID: fmt.Sprintf("%032d", 7)}
		given := asked
		if _, err := a.Connect(&given); !errors.Is(err, actors.ErrWrongIdentity) || given != asked {
			t.Errorf("not connected: %v; the peer is now %+v", err, given)
		}
		a.wantSlots(0, 0)
		if up := eventsOf[PeerUp](a); len(up) != 0 || len(a.book.List()) != 0 {
			t.Errorf("up %+v, book %+v; want neither", up, a.book.List())
		}
		// A connection of another peer to that address is not an answer either.
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		c, err := a.Connect(&given)
		if err == nil {
			t.Errorf("asked for %s, got the connection of %s", given.ID, c.Peer().ID)
		}
		a.wantSlots(1, 0)
	})
}

// Connect fills in a Peer without an ID. A placeholder counts as the ID of another peer.
func TestConnectFillsInThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		placeholder := Peer{ID: "peer-1", Address: b.addr}
		if _, err := a.Connect(&placeholder); !errors.Is(err, actors.ErrWrongIdentity) || placeholder.ID != "peer-1" {
			t.Errorf("a placeholder: %v, %+v", err, placeholder)
		}
		failed := Peer{Address: "10.0.0.9:1"}
		if _, err := a.Connect(&failed); err == nil || failed != (Peer{Address: "10.0.0.9:1"}) {
			t.Errorf("no peer there: %v, %+v", err, failed)
		}
		empty, is := Peer{Address: b.addr}, b.Identity()
		want := Peer{ID: is.ID, Name: is.Name, PublicKey: is.PublicKey, Role: is.Role, Address: b.addr}
		if _, err := a.Connect(&empty); err != nil || empty != want {
			t.Errorf("%v; the peer is %+v, want %+v", err, empty, want)
		}
	})
}

func TestConnectReturnsEachError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns = 1 })
		b, c := startNode(t, n, 2), startNode(t, n, 3)
		var named *PeerError
		if _, err := a.Connect(&Peer{Address: "10.0.0.9:1"}); !errors.As(err, &named) || named.Peer != "10.0.0.9:1" {
			t.Errorf("no node listens there: %v", err)
		}
		if _, err := a.Connect(&Peer{Address: "nonsense"}); err == nil {
			t.Error("connected to nonsense")
		}
		synctest.Wait() // the only slot is free once the actor of the failed dial has terminated
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
		a.wantSlots(1, 0)
	})
}

// A kept peer that could not be dialled connects by itself. After its connection ends, it is dialled again.
func TestRedialFollowsInboundPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys := newKeys(t, "b")
		a := startNode(t, n, 1, func(s *nodeSetup) { s.book.Add(kept(keys, "10.0.0.2:9091")) })
		time.Sleep(2 * time.Second)
		b := startNode(t, n, 3, func(s *nodeSetup) { s.keys = keys })
		b.dial(a)
		time.Sleep(3 * time.Minute) // the timer of the last failed dial is over
		a.wantSlots(1, 0)
		b.stop()
		startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		time.Sleep(time.Minute)
		a.wantSlots(1, 0)
	})
}

// A connection that only claims to be a kept peer does not stop the dials to it, and is no answer to Connect.
func TestRedialIgnoresImpostor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys := newKeys(t, "victim")
		a := startNode(t, n, 1, func(s *nodeSetup) { s.book.Add(kept(keys, "10.0.0.2:9091")) })
		ws := impostor(t, n, "10.0.0.3", a.addr, keys.Identity())
		defer ws.CloseNow()
		if c, err := a.Connect(&Peer{Address: "10.0.0.2:9091", ID: keys.Identity().ID}); err == nil {
			t.Errorf("an unverified connection from %s is the answer", c.Peer().Address)
		}
		if c := a.GetConnection(keys.Identity().ID); c != nil {
			t.Fatal("the impostor has a route")
		}
		a.wantSlots(1, 0)
		startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		time.Sleep(20 * time.Second) // before the impostor's silence ends it
		if c := a.GetConnection(keys.Identity().ID); c == nil || !c.Verified() {
			t.Error("the kept peer was not dialled")
		}
	})
}

// A caller that joins a dial in progress gets an answer for the peer that it asked for.
func TestConnectJoinsDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		n.SetLatency("10.0.0.1", "10.0.0.2", 100*time.Millisecond)
		first := make(chan error, 1)
		go func() {
			_, err := a.Connect(&Peer{Address: b.addr})
			first <- err
		}()
		time.Sleep(10 * time.Millisecond)
		other := strings.Repeat("ab", 16)
		if _, err := a.Connect(&Peer{Address: b.addr, ID: other}); !errors.Is(err, actors.ErrWrongIdentity) {
			t.Errorf("asked for %s: %v, want ErrWrongIdentity", other, err)
		}
		if err := <-first; err != nil {
			t.Errorf("who asked for anybody: %v", err)
		}
	})
}

// A Connect that expects the wrong peer does not change the configured target.
func TestConnectKeepsConfiguredPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(time.Second)
		other := strings.Repeat("ab", 16)
		if _, err := a.ConnectAddress(t.Context(), "10.0.0.2:9091"); err == nil {
			t.Fatal("nobody is there")
		}
		if _, err := a.Connect(&Peer{Address: "10.0.0.2:9091", ID: other}); err == nil {
			t.Fatal("nobody is there")
		}
		b := startNode(t, n, 2)
		time.Sleep(time.Minute)
		a.wantSlots(1, 0)
		if known, _ := a.book.Get(b.id()); known.Persistent {
			t.Error("a question that failed is remembered")
		}
	})
}

func newKeys(t *testing.T, name string) *crypto.NodeManager {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// kept is a peer of the book that is kept connected.
func kept(keys *crypto.NodeManager, address string) Peer {
	id := keys.Identity()
	return Peer{ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, Role: id.Role, Address: address, Persistent: true}
}

// A dial without callers holds no socket after its slot is freed.
func TestDisconnectEndsTheDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys := newKeys(t, "b")
		a := startNode(t, n, 1, func(s *nodeSetup) {
			n.Attach("10.0.0.2")
			n.Stall("10.0.0.1", "10.0.0.2")
			s.book.Add(kept(keys, "10.0.0.2:9091"))
		})
		synctest.Wait()
		a.wantSlots(0, 1)
		if a.host.Dialing() != 1 {
			t.Fatal("nothing is dialled")
		}
		if err := a.Disconnect(t.Context(), keys.Identity().ID, false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.wantSlots(0, 0)
		if k := a.host.Dialing(); k != 0 {
			t.Errorf("%d dials go on", k)
		}
	})
}

// The former peer of an address is connected from elsewhere. Connect reaches the present owner of the address.
func TestConnectReachesNewOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys := newKeys(t, "y")
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		before := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		time.Sleep(20 * time.Second)
		before.stop()
		time.Sleep(time.Second)
		moved := startNode(t, n, 3, func(s *nodeSetup) { s.keys = keys })
		moved.dial(a)
		now := startNode(t, n, 2)
		time.Sleep(100 * time.Millisecond)
		c, err := a.Connect(&Peer{Address: "10.0.0.2:9091", ID: now.id()})
		if err != nil || c.Peer().ID != now.id() {
			t.Errorf("who is there now: %v", err)
		}
	})
}
