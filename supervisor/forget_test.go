package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// Forget removes named peers, also connected and kept ones; ForgetUnused removes those that are not in use.
func TestForgetRemovesPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		connected, kept, configured := startNode(t, n, 2), startNode(t, n, 3), startNode(t, n, 4)
		listed := newKeys(t, "listed")
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Peers = []string{configured.addr}
			old := time.Now().Add(-time.Hour)
			for _, p := range []Peer{
				{ID: "old", LastSeen: old},
				{ID: "recent", LastSeen: time.Now()},
				{ID: "never"},
				{ID: listed.Identity().ID, PublicKey: listed.Identity().PublicKey, LastSeen: old},
			} {
				s.book.Add(p)
			}
			if err := s.book.Allow(listed.PublicKey()); err != nil {
				t.Fatal(err)
			}
		})
		a.dial(connected)
		if _, err := a.ConnectAddress(t.Context(), kept.addr); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour) // "recent" is two hours old now
		forget := func(what string, want []string, do func() ([]string, error)) {
			t.Helper()
			got, err := do()
			slices.Sort(got)
			if slices.Sort(want); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v; want %v", what, got, err, want)
			}
		}
		since := func(d time.Duration) ForgetRule { return ForgetRule{Before: time.Now().Add(-d)} }
		forget("older than 150 min", []string{"never", "old"}, func() ([]string, error) {
			return a.ForgetUnused(t.Context(), since(150*time.Minute))
		})
		forget("unverified", nil, func() ([]string, error) {
			return a.ForgetUnused(t.Context(), ForgetRule{Unverified: true})
		})
		forget("no rule", nil, func() ([]string, error) { return a.ForgetUnused(t.Context(), ForgetRule{}) })
		forget("older than a minute", []string{"recent"}, func() ([]string, error) {
			return a.ForgetUnused(t.Context(), since(time.Minute))
		})
		all := []string{connected.id(), kept.id(), configured.id(), listed.Identity().ID}
		forget("named", all, func() ([]string, error) { return a.Forget(t.Context(), append(all, "unknown")...) })
		if a.book.Len() != 0 || !a.book.Allowed(listed.PublicKey()) {
			t.Errorf("%d entries left, allowed %v", a.book.Len(), a.book.Allowed(listed.PublicKey()))
		}
		a.wantSlots(3, 0)
		for _, other := range []*testNode{kept, configured} {
			if err := other.Stop(); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if dials, err := a.Dials(t.Context()); err != nil || len(dials) != 1 || dials[0].Address != configured.addr {
			t.Errorf("dials %+v, %v; want only the configured address", dials, err)
		}
	})
}

// ForgetProtocol removes a pin: the next dial to the peer is not held.
func TestForgetProtocolRemovesThePin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		id := startDeployed(t, n, 30*time.Second).Identity().ID
		a := startNode(t, n, 1, pinnedBook(id))
		slowPath(n, "10.0.0.1", "10.0.0.2")
		if got, err := a.ForgetProtocol(id, "unknown"); err != nil || !slices.Equal(got, []string{id}) {
			t.Errorf("%v, %v", got, err)
		}
		wantResult(t, "Connect", a.heldDial("10.0.0.2:9091"), nil, 6*time.Second)
	})
}
