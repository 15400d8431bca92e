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
