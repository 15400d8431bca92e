package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// PeerRefused names a refused peer, at most once per second for each reason, and counts the others.
func TestPeerRefusedIsSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		if err := a.SetAuthMode(PeerAuthAllowlist); err != nil {
			t.Fatal(err)
		}
		refused := func() []PeerRefused {
			if _, err := b.Connect(&Peer{Address: a.addr}); err == nil {
				t.Fatal("connected")
			}
			synctest.Wait()
			return eventsOf[PeerRefused](a)
		}
		first := refused()
		want := PeerRefused{
			Peer: b.id(), Key: b.keys.PublicKey(), Name: "node2", Address: first[0].Address,
			Direction: Inbound, Reason: "peer not authorized",
		}
		if len(first) != 1 || first[0] != want || first[0].Address == "" {
			t.Fatalf("events %+v, want %+v", first, want)
		}
		for range 3 {
			if all := refused(); len(all) != 1 {
				t.Fatalf("%d events within a second", len(all))
			}
		}
		time.Sleep(refusedEvery)
		want.Omitted = 3
		all := refused()
		want.Address = all[len(all)-1].Address
		if len(all) != 2 || all[1] != want {
			t.Errorf("events %+v, want %+v last", all, want)
		}
	})
}

func TestRefusalsLimitEachReason(t *testing.T) {
	r, now := make(refusals), time.Unix(1, 0)
	for _, step := range []struct {
		why     refusal
		after   time.Duration
		omitted int
		due     bool
	}{
		{"a", 0, 0, true},
		{"a", refusedEvery - 1, 0, false},
		{"b", 0, 0, true},
		{"a", 0, 0, false},
		{"a", 1, 2, true},
		{"a", refusedEvery, 0, true},
	} {
		now = now.Add(step.after)
		if omitted, due := r.admit(step.why, now); omitted != step.omitted || due != step.due {
			t.Errorf("%q at %v: %d, %t; want %d, %t", step.why, now, omitted, due, step.omitted, step.due)
		}
	}
}
