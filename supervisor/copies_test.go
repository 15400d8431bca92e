package supervisor

import (
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// copies starts a hub and a connected peer, in the order of ids that the test needs.
func copies(t *testing.T, n *memnet.Network, hubSmaller bool, change func(*nodeSetup)) (hub, original *testNode) {
	t.Helper()
	hub, original = sortedPair(t, n, change)
	if !hubSmaller {
		hub, original = original, hub
	}
	original.dial(hub)
	return hub, original
}

// startCopy starts a node at another address with the identity of original, which keeps its connection to hub.
func startCopy(t *testing.T, n *memnet.Network, number int, original, hub *testNode) *testNode {
	t.Helper()
	return startNode(t, n, number, func(s *nodeSetup) { s.keys, s.cfg.Peers = original.keys, []string{hub.addr} })
}

func (n *testNode) wantConflicts(want ...IdentityConflict) {
	n.t.Helper()
	if got := eventsOf[IdentityConflict](n); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		n.t.Errorf("conflicts %+v, want %+v", got, want)
	}
}

// Two hosts with one identity dial a hub. The hub closes the second one three times and reports it with the third
// close. From then on the second host dials once a minute.
func TestCopiedIdentityIsReportedAndBacksOff(t *testing.T) {
	for _, hubSmaller := range []bool{true, false} {
		t.Run(fmt.Sprint("hub smaller ", hubSmaller), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				hub, original := copies(t, n, hubSmaller, func(*nodeSetup) {})
				time.Sleep(20 * time.Second) // closer proofs would count as crossed dials
				began := time.Now()
				second := startCopy(t, n, 3, original, hub)
				for len(eventsOf[IdentityConflict](hub)) == 0 && time.Since(began) < time.Minute {
					time.Sleep(time.Millisecond)
				}
				least, most := time.Duration(0), 1500*time.Millisecond // two pauses of at most 0.5 s and 1 s
				if !hubSmaller {
					least, most = least+duplicateGrace, most+duplicateGrace
				}
				if took := time.Since(began); took < least || took > most+time.Millisecond {
					t.Errorf("reported after %v, want %v to %v", took, least, most)
				}
				want := IdentityConflict{Peer: original.id(), Addresses: []string{original.host.IP(), "10.0.0.3"}}
				hub.wantConflicts(want)
				second.wantCount(actors.Dials, 3)
				time.Sleep(time.Minute - 2*time.Millisecond)
				second.wantCount(actors.Dials, 3)
				time.Sleep(2 * time.Millisecond)
				second.wantCount(actors.Dials, 4)
				hub.wantConflicts(want, want)
				time.Sleep(10 * time.Minute)
				if got := len(eventsOf[IdentityConflict](hub)); got != 12 {
					t.Errorf("%d reports in 11 minutes, want 12", got)
				}
				second.wantCount(actors.Dials, 14)
				down := eventsOf[PeerDown](second)
				if len(down) != 14 || down[1].Reason != reasonDuplicate ||
					down[2].Reason != reasonIdentityInUse || !down[2].Remote {
					t.Errorf("the copy was told %+v", down)
				}
				if c := hub.GetConnection(original.id()); c == nil || hostOf(c.peerAddress) != original.host.IP() {
					t.Error("the original does not carry the traffic")
				}
				hub.wantSlots(1, 0)
				if len(eventsOf[PeerDown](hub))+len(eventsOf[PeerMoved](hub)) != 0 {
					t.Errorf("events %+v", hub.seen())
				}
			})
		})
	}
}

// A peer that moves to another host causes no conflict, however often: its old connections answer no probe.
func TestMovingPeerIsNoConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, old := copies(t, n, true, func(*nodeSetup) {})
		for number := 3; number < 8; number++ {
			old.host.Crash(true)
			next := startCopy(t, n, number, old, hub)
			time.Sleep(5 * time.Second)
			old = next
		}
		time.Sleep(2 * time.Minute)
		hub.wantConflicts()
		hub.wantSlots(1, 0)
	})
}

// The original host stops. The copy takes over within the pause, and no further event is published.
func TestCopyTakesOverWhenTheOriginalStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, original := copies(t, n, false, func(*nodeSetup) {})
		second := startCopy(t, n, 3, original, hub)
		time.Sleep(20 * time.Second)
		original.stop()
		time.Sleep(time.Minute)
		want := IdentityConflict{Peer: second.id(), Addresses: []string{original.host.IP(), "10.0.0.3"}}
		hub.wantConflicts(want)
		if c := hub.GetConnection(second.id()); c == nil || !c.Verified() {
			t.Error("the copy is not connected")
		}
		time.Sleep(5 * time.Minute)
		hub.wantConflicts(want)
	})
}

// Deployed nodes with one identity run on several hosts. No connection is closed, and the third one is reported as
// unproven.
func TestCopiesOfADeployedNodeAreReportedUnproven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1)
		identity, err := refpeer.New("deployed")
		if err != nil {
			t.Fatal(err)
		}
		for number := 2; number <= 5; number++ {
			hub.wantConflicts()
			host := n.Attach(fmt.Sprint("10.0.0.", number))
			d := refpeer.StartDeployed(refpeer.DeployedOptions{
				Identity: identity, PingInterval: 30 * time.Second, Worker: true, NetDial: host.DialContext,
			})
			t.Cleanup(d.Close)
			if err := d.Connect(t.Context(), "ws://"+hub.addr+"/ws"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // our first ping is due after 1 s
		}
		hub.wantConflicts(IdentityConflict{
			Peer: identity.ID, Addresses: []string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}, Unproven: true,
		})
		time.Sleep(5 * time.Minute)
		hub.wantSlots(4, 0)
		if got := len(eventsOf[IdentityConflict](hub)); got != 1 {
			t.Errorf("%d reports, want 1", got)
		}
	})
}
