package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Two connections of a peer are dead without a sign of it; a third one lives. No message is lost, the living connection
// stays and the dead ones are closed.
func TestLivingConnectionReplacesTwoDeadOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, first := startNode(t, n, 1), startNode(t, n, 2)
		same := func(s *nodeSetup) { s.keys = first.keys }
		first.dial(hub)
		first.host.Crash(true) // without a disconnect message
		second := startNode(t, n, 3, same)
		second.dial(hub)
		second.host.Crash(true)
		third := startNode(t, n, 4, same)
		third.dial(hub)
		hub.wantSlots(3, 0)
		var want []string
		for range 100 {
			msg := hub.to(third.id(), "chat", nil)
			if err := hub.Send(third.id(), msg); err != nil {
				t.Fatal(err)
			}
			want = append(want, msg.ID)
			time.Sleep(490 * time.Millisecond) // never at the moment when a connection ends
		}
		if got := third.got("chat"); !slices.Equal(got, want) {
			t.Errorf("%d of %d messages arrived, or not in order", len(got), len(want))
		}
		hub.wantSlots(1, 0)
		if c := hub.GetConnection(third.id()); c == nil || hostOf(c.peerAddress) != third.host.IP() {
			t.Errorf("%+v carries the traffic, want the connection that lives", c)
		}
		if down := eventsOf[PeerDown](hub); len(down) != 0 {
			t.Errorf("down: %+v", down)
		}
	})
}

// A node dials a peer again, through a relay, 2 s after the direct connection was bound. The relayed connection is no
// crossed dial, regardless of which side has the smaller id: the direct one stays the route of both.
func TestLateRelayDisplacesNoLivingConnection(t *testing.T) {
	for _, name := range []string{"smaller id dials the relay", "larger id dials the relay"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				dialler, peer := sortedPair(t, n)
				if name == "larger id dials the relay" {
					dialler, peer = peer, dialler
				}
				peer.dial(dialler)
				direct := dialler.GetConnection(peer.id())
				time.Sleep(2 * time.Second)
				stop := startRelay(t, n.Attach("10.0.0.9"), peer.addr)
				defer stop()
				if _, err := dialler.Connect(&Peer{Address: "10.0.0.9:9091"}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				dialler.wantSlots(1, 0)
				peer.wantSlots(1, 0)
				for _, node := range []*testNode{dialler, peer} {
					if moved := eventsOf[PeerMoved](node); len(moved) != 0 {
						t.Errorf("moved %+v", moved)
					}
				}
				if dialler.GetConnection(peer.id()) != direct || peer.GetConnection(dialler.id()).Direction() != Outbound {
					t.Error("the direct connection does not carry the traffic any more")
				}
			})
		})
	}
}

// An unmarked inbound connection of a peer that has bound frames before is the route while it is the only one. It
// yields to an unmarked connection that this node dialled, and contests none.
func TestDemotedConnectionYieldsAndContestsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, d := startNode(t, n, 1), startDeployed(t, n, 30*time.Second)
		id := d.Identity().ID
		dialUs := func() { // as a peer that has bound frames before
			t.Helper()
			a.book.Add(Peer{ID: id, Name: "deployed", PublicKey: d.Identity().PublicKey})
			a.book.Update(id, func(p *Peer) { p.Binds = true })
			if err := d.Connect(t.Context(), "ws://"+a.addr+"/ws"); err != nil {
				t.Fatal(err)
			}
		}
		speak := func() { // through the newest connection, which verifies it
			t.Helper()
			synctest.Wait() // until the deployed node has entered it
			if _, err := d.Send(a.id(), "chat", nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		wantRoute := func(when string, direction Direction) {
			t.Helper()
			before := len(d.Received())
			if err := a.Send(id, a.to(id, "chat", nil)); err != nil {
				t.Errorf("%s: %v", when, err)
			}
			time.Sleep(2 * time.Second)
			c, copies := a.GetConnection(id), len(d.Received())-before
			if c == nil || c.Direction() != direction || copies != 1 {
				t.Errorf("%s: %v carries the traffic, %d copies arrived; want an %v connection and 1", when, c, copies, direction)
			}
		}
		dialUs()
		speak()
		wantRoute("the only connection", Inbound)
		if _, err := a.Connect(&Peer{Address: "10.0.0.2:9091"}); err != nil {
			t.Fatal(err)
		}
		speak()
		wantRoute("beside one that we dialled", Outbound)
		n.SetLatency("10.0.0.1", "10.0.0.2", time.Second) // a probe's answer takes this long
		dialUs()
		speak()
		wantRoute("as a contender", Outbound)
		a.wantSlots(3, 0)
	})
}

// A duplicate drains: it delivers until the peer has disconnected. Disconnect ends that too.
func TestDisconnectEndsADrainingConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		small, large := sortedPair(t, n)
		large.dial(small)
		again := startNode(t, n, 3, func(s *nodeSetup) { s.keys = large.keys })
		n.SetLatency("10.0.0.1", "10.0.0.2", time.Second) // a probe's answer takes this long
		c := again.dial(small)
		n.Stall("10.0.0.1", "10.0.0.3") // it does not receive the disconnect as a duplicate
		time.Sleep(5 * time.Second)
		say := func() {
			t.Helper()
			if err := c.Post(again.to(small.id(), "chat", nil)); err != nil {
				t.Fatal(err)
			}
		}
		say()
		if got := len(small.got("chat")); got != 1 {
			t.Fatalf("%d messages of the draining connection were delivered, want 1", got)
		}
		small.wantSlots(1, 1) // the latter drains
		if err := small.Disconnect(t.Context(), large.id(), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		say()
		if got := len(small.got("chat")); got != 1 {
			t.Errorf("%d messages were delivered after Disconnect", got-1)
		}
		small.wantCount(actors.MessagesAfterGoodbye, 1)
		n.Resume("10.0.0.1", "10.0.0.3")
		time.Sleep(10 * time.Second)
		small.wantSlots(0, 0)
	})
}
