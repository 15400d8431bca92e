package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func TestForwardEndsWhenTheHomeIsKilled(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a := w.members["a"]
		a.deliver = func(relayed) func() { return nil } // nothing is written
		for range 100 {
			if _, _, err := sent.forward(w.members["b"], "peer", supervisor.ForwardWritten); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
		w.kill("a")
		time.Sleep(2 * time.Second)
		if counts := sent.check(t, 2*time.Second, deliveries(a)); counts["unconfirmed"] != 100 {
			t.Errorf("results %v, want 100 times unconfirmed", counts)
		}
		time.Sleep(time.Second)
		if _, _, err := sent.forward(w.members["b"], "peer", 0); !errors.Is(err, supervisor.ErrNotConnected) {
			t.Errorf("after the loss: %v", err)
		}
	})
}

// Messages that were not sent to a silent member are sent to the peer's new home, or else end with ErrNotConnected.
func TestForwardSendsAnewWhatASilentMemberDidNotGet(t *testing.T) {
	for _, moves := range []bool{false, true} {
		withPeer(t, func(t *testing.T, w *world, sent *forwards) {
			w.net.CutBoth("a", "c", true)
			for range 9 * 256 { // the last 256 wait for an ack
				if _, _, err := sent.forward(w.members["c"], "peer", supervisor.ForwardWritten); err != nil {
					t.Fatal(err)
				}
			}
			if moves {
				w.members["b"].connect("peer")
			}
			time.Sleep(2 * time.Second)
			counts := sent.check(t, 2*time.Second, deliveries(w.members["a"], w.members["b"]))
			want := map[string]int{"unconfirmed": 8 * 256, "the peer is not connected": 256}
			if moves {
				want = map[string]int{"unconfirmed": 8 * 256, "<nil>": 256}
			}
			if !maps.Equal(counts, want) {
				t.Errorf("moves %v: results %v, want %v", moves, counts, want)
			}
		})
	}
}

// A cancel that was lost is repeated, so that no request waits at its member for ever.
func TestCancelIsRepeatedAfterALoss(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		var cancelled atomic.Int32
		w.members["a"].deliver = func(d relayed) func() {
			return func() {
				cancelled.Add(1)
				d.done(supervisor.Forwarded{Err: context.Canceled})
			}
		}
		_, cancel, _ := sent.forward(w.members["b"], "peer", supervisor.ForwardAnswered)
		time.Sleep(10 * time.Millisecond)
		w.net.CutBoth("b", "a", true)
		cancel()
		time.Sleep(3 * time.Second) // b has given up
		w.net.HealAll()
		time.Sleep(time.Second)
		if n := cancelled.Load(); n != 1 {
			t.Errorf("%d times cancelled, want once", n)
		}
		sent.check(t, 2*time.Second, deliveries(w.members["a"]))
	})
}

// The requests of a member end with its process, and so do those to it.
func TestRestartEndsAllMessagesInFlight(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		b := w.members["b"]
		b.connect("other")
		time.Sleep(10 * time.Millisecond)
		var stopped atomic.Int32
		w.members["a"].deliver = func(relayed) func() { return func() { stopped.Add(1) } }
		b.deliver = func(relayed) func() { return nil }
		from, _, _ := sent.forward(b, "peer", supervisor.ForwardAnswered)
		to, _, _ := sent.forward(w.members["a"], "other", supervisor.ForwardAnswered)
		time.Sleep(10 * time.Millisecond)
		w.kill("b")
		w.start("b")
		time.Sleep(10 * time.Millisecond)
		if n := stopped.Load(); n != 1 {
			t.Errorf("%d of 1 requests of the earlier process were cancelled", n)
		}
		for _, id := range []string{from, to} {
			if got := sent.of(id); got.calls != 1 || !errors.Is(got.Err, supervisor.ErrUnconfirmed) {
				t.Errorf("%+v", got)
			}
		}
	})
}

func TestLeaveEndsAllMessagesInFlight(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		var stopped atomic.Int32
		w.members["a"].deliver = func(relayed) func() { return func() { stopped.Add(1) } }
		for range 10 {
			_, _, _ = sent.forward(w.members["b"], "peer", supervisor.ForwardAnswered)
		}
		time.Sleep(10 * time.Millisecond)
		w.members["b"].engine.Leave()
		if counts := sent.check(t, 2*time.Second, deliveries(w.members["a"])); counts["unconfirmed"] != 10 {
			t.Errorf("results %v", counts)
		}
		time.Sleep(10 * time.Millisecond)
		if n := stopped.Load(); n != 10 {
			t.Errorf("%d of 10 requests of the member that left were cancelled", n)
		}
		if _, _, err := sent.forward(w.members["b"], "peer", 0); !errors.Is(err, supervisor.ErrNotConnected) {
			t.Errorf("after Leave: %v", err)
		}
	})
}

// Random losses, cuts, kills, freezes and moves: one result for each message, and none delivered twice.
func TestRandomFaultsEndInOneResult(t *testing.T) {
	total := map[string]int{}
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for name, n := range forwardSeed(t, seed) {
					total[name] += n
				}
			})
		})
	}
	t.Log(total)
}

func forwardSeed(t *testing.T, seed uint64) map[string]int {
	random := rand.New(rand.NewPCG(seed, 2))
	w := newWorld(t, seed)
	w.net.Delay(0, time.Duration(1+random.IntN(20))*time.Millisecond)
	w.start("a", "b", "c")
	all := []*process{w.members["a"], w.members["b"], w.members["c"]}
	peers := peerNames(6)
	for i, peer := range peers {
		all[i%3].connect(peer)
	}
	for _, p := range all {
		p.deliver = func(d relayed) func() {
			time.AfterFunc(time.Duration(len(d.Message.ID)%7)*time.Millisecond, func() { d.done(supervisor.Forwarded{}) })
			return nil
		}
	}
	// Two members are tried for 2 s each. A member that got the message may stand still before it says so: the 2 s begin
	// anew with that sign, and its result may be lost then.
	sent := &forwards{afterSign: 2 * time.Second}
	for range 300 {
		p := all[random.IntN(3)]
		for range random.IntN(20) {
			_, _, _ = sent.forward(p, peers[random.IntN(len(peers))], supervisor.ForwardWritten)
		}
		faultStep(random, w, all, peers)
		time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
	}
	for _, p := range all {
		p.bus.Freeze(false)
	}
	w.net.Lose(0)
	w.net.HealAll()
	time.Sleep(quiet)
	return sent.check(t, 4*time.Second, deliveries(all...))
}

// faultStep causes or ends one random fault.
func faultStep(random *rand.Rand, w *world, all []*process, peers []string) {
	p, other := all[random.IntN(3)], all[random.IntN(3)]
	switch n := random.IntN(100); {
	case n < 10:
		w.net.Lose(float64(random.IntN(4)) / 20)
	case n < 15:
		w.net.Cut(p.name, other.name, p != other)
	case n < 18:
		w.net.HealAll()
	case n < 21:
		p.bus.Freeze(true)
		time.AfterFunc(time.Duration(random.IntN(5000))*time.Millisecond, func() { p.bus.Freeze(false) })
	case n < 31:
		peer := peers[random.IntN(len(peers))]
		go p.connect(peer)
	case n < 32 && len(w.members) == 3 && random.IntN(3) == 0:
		w.kill(p.name)
	}
}

// The next ack shows that a result was lost: its message ends then, and no other one.
func TestForwardReportsALostResult(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a, b := w.members["a"], w.members["b"]
		var done []relayed
		a.deliver = func(d relayed) func() {
			done = append(done, d)
			return nil
		}
		for range 2 { // a batch each; the others are one batch
			_, _, _ = sent.forward(b, "peer", supervisor.ForwardWritten)
		}
		lost, _, _ := sent.forward(b, "peer", supervisor.ForwardWritten)
		kept, _, _ := sent.forward(b, "peer", supervisor.ForwardWritten)
		time.Sleep(20 * time.Millisecond)
		w.net.Cut("a", "b", true)
		done[2].done(supervisor.Forwarded{})
		time.Sleep(20 * time.Millisecond)
		w.net.Cut("a", "b", false)
		time.Sleep(time.Second)
		for _, i := range []int{0, 1, 3} {
			done[i].done(supervisor.Forwarded{})
		}
		time.Sleep(time.Second)
		if got := sent.of(lost); !errors.Is(got.Err, supervisor.ErrUnconfirmed) || got.took > 600*time.Millisecond {
			t.Errorf("the lost one: %+v", got)
		}
		if got := sent.of(kept); got.Err != nil {
			t.Errorf("the other one: %+v", got)
		}
		sent.check(t, 2*time.Second, deliveries(a))
	})
}

// A lost batch does not hold up the messages behind it.
func TestForwardGoesOnAfterALostBatch(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a, b := w.members["a"], w.members["b"]
		w.net.Cut("b", "a", true)
		lost, _, _ := sent.forward(b, "peer", supervisor.ForwardWritten)
		w.net.Cut("b", "a", false)
		next, _, _ := sent.forward(b, "peer", supervisor.ForwardWritten)
		time.Sleep(2 * time.Second)
		if got := sent.of(next); got.calls != 1 || got.Err != nil || got.took > 300*time.Millisecond {
			t.Errorf("the message behind: %+v", got)
		}
		if got := sent.of(lost); !errors.Is(got.Err, supervisor.ErrUnconfirmed) {
			t.Errorf("the lost one: %+v", got)
		}
		sent.check(t, 2*time.Second, deliveries(a))
	})
}
