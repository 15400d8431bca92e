package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Restart of this node: the deployed node's keepalive notices the end of the old process's connection up to one ping
// interval later, and deletes the entry of the new process. Exactly 31 s after the first connection, a second one is
// open.
func TestRestartOpensFurtherConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		peers := func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} }
		keys := newKeys(t, "a")
		before := startNode(t, n, 1, peers, func(s *nodeSetup) { s.keys = keys })
		wantKnown(t, d, before, true, 1)
		time.Sleep(20 * time.Second)
		before.stop() // its keepalive ticks 30 s after it connected
		a := startNode(t, n, 1, peers, func(s *nodeSetup) { s.keys = keys })
		opened := time.Now()
		wantKnown(t, d, a, true, 1)
		time.Sleep(9 * time.Second)
		wantKnown(t, d, a, false, 1) // the entry is gone, although our connection is open
		time.Sleep(time.Until(opened.Add(31*time.Second - time.Nanosecond)))
		wantKnown(t, d, a, false, 1)
		time.Sleep(time.Nanosecond)
		wantKnown(t, d, a, true, 2)
		id, err := d.Send(a.id(), "chat", "hello")
		if err != nil {
			t.Fatal(err)
		}
		if got := a.got("chat"); len(got) != 1 || got[0] != id {
			t.Errorf("received %q, want %q", got, id)
		}
		time.Sleep(10 * time.Minute) // both stay, and no third one opens
		wantKnown(t, d, a, true, 2)
		a.wantCount(actors.Dials, 2)
		if err := a.Send(d.Identity().ID, a.to(d.Identity().ID, "chat", nil)); err != nil {
			t.Error(err)
		}
	})
}

// One of two connections ends, either one: the deployed node deletes the entry, and a further connection is opened
// after the interval.
func TestEndOfOneOfTwoOpensFurtherConnection(t *testing.T) {
	for _, newest := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			d := startDeployed(t, n, 30*time.Second)
			a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
			time.Sleep(3 * time.Minute)
			wantKnown(t, d, a, true, 2)
			conns := d.Conns(a.id())
			if newest {
				conns[0] = conns[1]
			}
			ended := time.Now()
			conns[0].Close()
			wantKnown(t, d, a, false, 1)
			time.Sleep(31*time.Second - time.Nanosecond)
			wantKnown(t, d, a, false, 1)
			time.Sleep(time.Nanosecond)
			wantKnown(t, d, a, true, 2)
			if n := len(eventsOf[PeerDown](a)); n != 0 {
				t.Errorf("%d peer_down events since %v, want none", n, ended)
			}
			a.wantCount(actors.Dials, 3)
			time.Sleep(10 * time.Minute)
			wantKnown(t, d, a, true, 2)
		})
	}
}

// The interval is the measured distance of the peer's last two pings, plus a second.
func TestFurtherConnectionUsesThePeersInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 4*time.Second)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(8*time.Second - time.Nanosecond)
		wantKnown(t, d, a, true, 1)
		time.Sleep(time.Nanosecond) // the second ping: more than 5 s since the opening have passed
		wantKnown(t, d, a, true, 2)
		d.Conns(a.id())[0].Close()
		time.Sleep(5*time.Second - time.Nanosecond)
		wantKnown(t, d, a, false, 1)
		time.Sleep(time.Nanosecond)
		wantKnown(t, d, a, true, 2)
	})
}

// A peer that announces single-connection keeps one connection.
func TestNoFurtherConnectionOpensToSinglePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} }), startNode(t, n, 2)
		time.Sleep(5 * time.Minute)
		a.wantSlots(1, 0)
		b.wantSlots(1, 0)
	})
}

// A deployed peer has dialled this node, and no address was given for it: it cannot be dialled.
func TestNoFurtherConnectionOpensWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1)
		for range 2 {
			if err := d.Connect(t.Context(), "ws://"+a.addr+"/ws"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		d.Conns(a.id())[0].Close()
		time.Sleep(10 * time.Minute)
		wantKnown(t, d, a, false, 1)
		a.wantCount(actors.Dials, 0)
	})
}

// Without a free slot the further connection is postponed by one interval at a time. MaxConns is never exceeded.
func TestFurtherConnectionWaitsForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.Peers = 2, []string{"10.0.0.2:9091"} })
		b := startNode(t, n, 3)
		b.dial(a)
		time.Sleep(2 * time.Minute)
		wantKnown(t, d, a, true, 1)
		b.stop()
		time.Sleep(31 * time.Second)
		wantKnown(t, d, a, true, 2)
		if peak := a.host.Peak(); peak > 2 {
			t.Errorf("%d sockets at the same time, want 2 at most", peak)
		}
	})
}

// A peer that was revoked or disconnected by the operator meanwhile is not dialled.
func TestNoFurtherConnectionOpensAfterDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(10 * time.Second)
		if err := a.Disconnect(t.Context(), d.Identity().ID, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		wantKnown(t, d, a, false, 0)
		a.wantCount(actors.Dials, 1)
	})
}

// A further dial in progress stops when the operator disconnects the peer.
func TestDisconnectEndsTheFurtherDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(30 * time.Second)
		n.Stall("10.0.0.1", "10.0.0.2")
		time.Sleep(2 * time.Second)
		a.wantSlots(1, 1)
		d.Conns(a.id())[0].Close()
		if err := a.Disconnect(t.Context(), d.Identity().ID, false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.wantSlots(0, 0)
		n.Heal()
		time.Sleep(time.Minute)
		wantKnown(t, d, a, false, 0)
	})
}

// A connection by Connect, which is not kept, also gets a further one, which takes its place.
func TestUnkeptConnectOpensFurtherConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1)
		if _, err := a.Connect(&Peer{Address: "10.0.0.2:9091"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		wantKnown(t, d, a, true, 2)
		d.Conns(a.id())[0].Close()
		time.Sleep(2 * time.Minute)
		wantKnown(t, d, a, true, 2)
		for _, conn := range d.Conns(a.id()) {
			conn.Close()
		}
		time.Sleep(2 * time.Minute)
		wantKnown(t, d, a, false, 0)
		if down := eventsOf[PeerDown](a); len(down) != 1 || down[0].Code != wire.DisconnectGoingAway {
			t.Errorf("down %+v, want once", down)
		}
	})
}

func TestDecideFurtherFollowsTable(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	}
	good := furtherFacts{now: at(31), since: at(0), deployed: true, living: 1, own: 1, dialable: true}
	tests := []struct {
		name   string
		change func(*furtherFacts)
		step   furtherStep
		again  time.Time
	}{
		{"the default interval has passed", func(*furtherFacts) {}, furtherDial, time.Time{}},
		{"a moment before", func(f *furtherFacts) { f.now = at(30.999) }, furtherWait, at(31)},
		{"a longer interval", func(f *furtherFacts) { f.interval = 60 * time.Second }, furtherWait, at(61)},
		{"a shorter interval", func(f *furtherFacts) { f.now, f.interval = at(2), time.Second }, furtherDial, time.Time{}},
		{"a dial within the interval", func(f *furtherFacts) { f.dialled = at(10) }, furtherWait, at(41)},
		{"a dial long ago", func(f *furtherFacts) { f.dialled = at(-100) }, furtherDial, time.Time{}},
		{"nothing has happened", func(f *furtherFacts) { f.since = time.Time{} }, furtherNone, time.Time{}},
		{"a peer that keeps one connection", func(f *furtherFacts) { f.deployed = false }, furtherNone, time.Time{}},
		{"no connection stands", func(f *furtherFacts) { f.living = 0 }, furtherNone, time.Time{}},
		{"no connection stands yet", func(f *furtherFacts) { f.living, f.now = 0, at(1) }, furtherWait, at(31)},
		{"two of our own", func(f *furtherFacts) { f.own = 2 }, furtherNone, time.Time{}},
		{"only the peer's own", func(f *furtherFacts) { f.living, f.own = 3, 0 }, furtherDial, time.Time{}},
		{"no assigned address", func(f *furtherFacts) { f.dialable = false }, furtherNone, time.Time{}},
		{"no free slot", func(f *furtherFacts) { f.full = true }, furtherPutOff, at(62)},
		{"stopping", func(f *furtherFacts) { f.stopping = true }, furtherNone, time.Time{}},
	}
	for _, tt := range tests {
		facts := good
		tt.change(&facts)
		if step, again := decideFurther(facts); step != tt.step || !again.Equal(tt.again) {
			t.Errorf("%s: %v at %v, want %v at %v", tt.name, step, again, tt.step, tt.again)
		}
	}
}

// A failed further dial is retried after another interval. It is counted and causes no event.
func TestFurtherDialThatFailsIsRetriedAfterTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		d := startDeployed(t, n, 30*time.Second)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(20 * time.Second)
		d.Refuse(true)
		time.Sleep(80 * time.Second) // dials at 31 and 62 and 93 s
		wantKnown(t, d, a, true, 1)
		a.wantCount(actors.DialsFailed, 3)
		d.Refuse(false)
		time.Sleep(24 * time.Second)
		wantKnown(t, d, a, true, 2)
		if failed := eventsOf[DialFailed](a); len(failed) != 0 {
			t.Errorf("dial_failed %+v although the peer is connected", failed)
		}
	})
}
