package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// A suspended peer is refused in both directions until the end, and a kept one is dialled again then.
func TestSuspendedPeerIsRefusedUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
		if err := a.AwaitFirstDials(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		if err := a.DisconnectUntil(t.Context(), b.id(), start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.wantSlots(0, 0)
		time.Sleep(30 * time.Minute)
		if _, err := b.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrRefused) {
			t.Errorf("inbound: %v, want ErrRefused", err)
		}
		for _, p := range []*Peer{{Address: b.addr}, {Address: b.addr, ID: b.id()}} {
			if _, err := a.Connect(p); !errors.Is(err, ErrSuspended) {
				t.Errorf("outbound: %v, want ErrSuspended", err)
			}
		}
		if list, err := a.Pending(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("pending: %+v, %v", list, err)
		}
		time.Sleep(29 * time.Minute)
		a.wantSlots(0, 0)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		a.wantSlots(1, 0)

		if err := a.DisconnectUntil(t.Context(), b.id(), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		a.wantSlots(0, 0)
		if err := a.Allow(b.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		a.wantSlots(1, 0)
	})
}

// Each of several suspensions ends at its own time, whatever the order in which they began.
func TestSuspensionsEndEachInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var ids, addresses []string
		for number := range 4 {
			peer := startNode(t, n, number+2)
			ids, addresses = append(ids, peer.id()), append(addresses, peer.addr)
		}
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = addresses })
		if err := a.AwaitFirstDials(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, minutes := range []int{3, 1, 4, 2} {
			until := time.Now().Add(time.Duration(minutes) * time.Minute)
			if err := a.DisconnectUntil(t.Context(), ids[i], until); err != nil {
				t.Fatal(err)
			}
		}
		const near = time.Second
		time.Sleep(time.Minute - near)
		for ended := range 4 {
			a.wantSlots(ended, 0)
			time.Sleep(2 * near)
			a.wantSlots(ended+1, 0)
			time.Sleep(time.Minute - 2*near)
		}
	})
}

// The address of a suspended peer may have a new owner: a caller that accepts any peer reaches it.
func TestAddressOfASuspendedPeerIsDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
		if err := a.AwaitFirstDials(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := a.DisconnectUntil(t.Context(), b.id(), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		b.stop()
		owner := startNode(t, n, 2)
		if _, err := a.Connect(&Peer{Address: b.addr, ID: b.id()}); !errors.Is(err, ErrSuspended) {
			t.Errorf("the suspended peer: %v, want ErrSuspended", err)
		}
		conn, err := a.Connect(&Peer{Address: b.addr})
		if err != nil || conn.Peer().ID != owner.id() {
			t.Errorf("any peer: %v", err)
		}
	})
}
