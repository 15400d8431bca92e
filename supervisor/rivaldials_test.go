package supervisor

import (
	"testing"
	"testing/synctest"
	"time"
)

// targetRegistry returns a registry with these targets only.
func targetRegistry(targets ...*dialTarget) *registry {
	r := &registry{targets: make(map[string]*dialTarget), targetsOf: make(targetIndex)}
	for _, t := range targets {
		r.targets[t.url] = t
		r.setTargetPeers(t, t.expect, t.peer)
	}
	return r
}

// A target leaves its peer to the latest dial of another address, until two seconds after the start of that dial. An
// address that expects another peer is no address of the peer that answered there.
func TestTargetsYieldToTheLatestDialOfTheirPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		dial := func(url, expect, peer string, ago time.Duration) *dialTarget {
			return &dialTarget{url: url, expect: expect, peer: peer, state: dialing, startedAt: now.Add(-ago)}
		}
		for name, row := range map[string]struct {
			waits  *dialTarget
			others []*dialTarget
			want   time.Duration
		}{
			"no dial": {&dialTarget{expect: "p"}, []*dialTarget{{url: "a", expect: "p"}}, 0},
			"the latest of three": {&dialTarget{expect: "p"}, []*dialTarget{
				dial("a", "p", "", 2*time.Second), dial("b", "p", "", time.Second), dial("c", "p", "", 1500*time.Millisecond),
			}, time.Second},
			"the peer that answered last": {
				&dialTarget{peer: "p"}, []*dialTarget{dial("a", "", "p", 0)}, 2 * time.Second,
			},
			"another peer is expected there":     {&dialTarget{peer: "p"}, []*dialTarget{dial("a", "q", "p", 0)}, 0},
			"another peer is expected here":      {&dialTarget{expect: "q", peer: "p"}, []*dialTarget{dial("a", "p", "", 0)}, 0},
			"no peer is known at either of both": {&dialTarget{}, []*dialTarget{dial("a", "", "", 0)}, 0},
		} {
			r := targetRegistry(append(row.others, row.waits)...)
			if got := r.rivalOf(row.waits); got != row.want {
				t.Errorf("%s: %v, want %v", name, got, row.want)
			}
		}
	})
}

// A dial that waits for the slot of an evicted handshake has started: the other addresses of its peer leave it to it.
func TestTargetsYieldToADialThatWaitsForItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &dialTarget{url: "a", expect: "p"}, &dialTarget{url: "b", expect: "p"}
		r := targetRegistry(first, second)
		r.cfg = &TransportConfig{MaxConns: 1, ReservedConns: 1}
		r.slots = map[string]*slot{"handshake": {successorDial: first}}
		first.state = dialing
		r.startTarget(nil, first)
		if got := r.rivalOf(second); got != rivalPatience || first.slot != nil {
			t.Errorf("%v, want %v; slot %v", got, rivalPatience, first.slot)
		}
	})
}

// Of several addresses that have left their peer to a dial, the one with the fewest failures is dialled first, then the
// one whose last dial is the oldest, then by address.
func TestYieldingTargetsAreInTheOrderOfTheirDials(t *testing.T) {
	start := time.Now()
	target := func(url string, failures int, started time.Duration) *dialTarget {
		return &dialTarget{url: url, expect: "p", yields: true, failures: failures, startedAt: start.Add(started)}
	}
	other := target("o", 0, 0)
	other.expect, other.peer = "q", "p"
	busy := target("n", 0, 0)
	busy.yields = false
	r := targetRegistry(
		target("f", 1, 0), target("d", 0, 2), other, target("c", 0, 1), target("b", 0, 1), target("e", 0, 3), busy,
	)
	var got string
	for _, t := range r.yielding("p") {
		got += t.url
	}
	if got != "bcdef" {
		t.Errorf("order %q, want bcdef", got)
	}
}
