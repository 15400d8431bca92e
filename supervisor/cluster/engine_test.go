package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

var (
	firstSeed = flag.Uint64("from", 1, "first seed of the random test")
	seeds     = flag.Uint64("seeds", 20, "number of seeds of the random test of engines")
	meshSeeds = flag.Uint64("meshseeds", 5, "number of seeds of the random test of whole members")
)

// quiet is longer than a member takes to be lost, a snapshot, and an unanswered claim.
const quiet = 6 * time.Second

func TestMemberIsGrantedAPeerWithoutAHome(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		if v, _ := w.members["a"].connect("peer"); !v.Granted || v.Term == 0 {
			t.Errorf("verdict %+v", v)
		}
		time.Sleep(10 * time.Millisecond) // one update
		w.check([]string{"peer"})
	})
}

func TestHolderDecidesAboutAClaim(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].keeps = true
		first, _ := w.members["a"].connect("peer")
		settle()
		if v, _ := w.members["b"].connect("peer"); v.Granted || v.Home != "a" {
			t.Errorf("the holder refuses: verdict %+v", v)
		}
		w.members["a"].keeps = false
		v, _ := w.members["b"].connect("peer")
		if !v.Granted || v.Term <= first.Term || v.Tokens != 7 {
			t.Errorf("the holder grants: verdict %+v after %+v", v, first)
		}
		time.Sleep(quiet)
		w.check([]string{"peer"})
	})
}

// A claim that goes out while the other member has already released the peer is granted in the end.
func TestClaimFollowsARelease(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("peer")
		settle()
		w.net.Delay(100*time.Millisecond, 110*time.Millisecond)
		w.members["a"].disconnect("peer")
		if v, _ := w.members["b"].connect("peer"); !v.Granted {
			t.Errorf("verdict %+v", v)
		}
		time.Sleep(quiet)
		w.check([]string{"peer"})
	})
}

func TestKilledMemberLosesItsPeers(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].keeps = true
		w.members["a"].connect("peer")
		settle()
		w.kill("a")
		began := time.Now()
		if v, _ := w.members["b"].connect("peer"); !v.Granted {
			t.Errorf("verdict %+v", v)
		}
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("granted after %v, want at the first answer of the bus that nothing subscribes there", took)
		}
		for _, m := range w.members["b"].engine.Members() {
			if want := map[string]supervisor.MemberState{"a": supervisor.MemberLost}[m.Name]; m.State != want {
				t.Errorf("%s is %v, want %v", m.Name, m.State, want)
			}
		}
		time.Sleep(quiet)
		w.check([]string{"peer"})
	})
}

// While the way is cut, each side serves its own peers, new ones too. Afterwards one connection of each peer is left.
func TestCutHeals(t *testing.T) {
	for _, cut := range []struct {
		name string
		set  func(w *world, on bool)
	}{
		{"pair", func(w *world, on bool) { w.net.CutBoth("a", "b", on) }},
		{"star", func(w *world, on bool) { w.net.CutBoth("a", "b", on); w.net.CutBoth("a", "c", on) }},
		{"one direction", func(w *world, on bool) { w.net.Cut("a", "b", on) }},
		{"the other direction", func(w *world, on bool) { w.net.Cut("b", "a", on) }},
	} {
		t.Run(cut.name, func(t *testing.T) {
			inWorld(t, "a b c", func(t *testing.T, w *world) {
				peers := peerNames(20)
				for i, peer := range peers {
					w.members[string(rune('a'+i%3))].connect(peer)
				}
				cut.set(w, true)
				time.Sleep(3 * time.Second)
				for _, name := range []string{"a", "b", "c"} {
					for _, peer := range peers[:10] {
						if _, decided := w.members[name].connect(peer); !decided {
							t.Errorf("%s, %s: not decided within 5 s", name, peer)
						}
					}
				}
				cut.set(w, false)
				time.Sleep(5 * time.Second)
				w.check(peers)
			})
		})
	}
}

// A member that joins learns all claims by pages, while they change.
func TestNewMemberLearnsAllClaims(t *testing.T) {
	inWorld(t, "a", func(t *testing.T, w *world) {
		peers := peerNames(10_000)
		for _, peer := range peers {
			w.members["a"].connect(peer)
		}
		var work sync.WaitGroup
		a := w.members["a"]
		work.Go(func() {
			for _, peer := range peers[:500] {
				a.disconnect(peer)
				time.Sleep(time.Millisecond)
			}
		})
		w.start("b")
		if n := len(w.members["b"].homes(peers)); n < 9500 {
			t.Errorf("%d peers known after joining, want at least 9500", n)
		}
		work.Wait()
		time.Sleep(quiet)
		w.check(peers)
	})
}

func TestRestartedMemberHasNoClaims(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("peer")
		settle()
		w.kill("a")
		w.start("a")
		time.Sleep(10 * time.Millisecond)
		w.check([]string{"peer"})
	})
}

func TestGoodbyeFreesThePeersAtOnce(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("peer")
		settle()
		w.members["a"].engine.Leave()
		time.Sleep(10 * time.Millisecond)
		if _, held := w.members["b"].engine.Home("peer"); held {
			t.Error("the peer of a member that has left still has a home")
		}
		if n := len(w.members["b"].engine.Members()); n != 1 {
			t.Errorf("%d members, want 1", n)
		}
		if v, decided := w.members["a"].connect("late"); v.Granted || !decided {
			t.Errorf("a claim after Leave: %+v, decided %v", v, decided)
		}
	})
}

// A process with the name of a member is refused before another member hears it: they log nothing, and the peers of the
// member stay reachable.
func TestJoinRefusesATakenName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		var written bytes.Buffer // one actor writes, and the bubble is idle when it is read
		w.log = slog.New(slog.NewTextHandler(&written, nil))
		w.start("b")
		w.log = nil
		w.start("a")
		first, b := w.members["a"], w.members["b"].engine
		if v, _ := first.connect("peer"); !v.Granted {
			t.Errorf("no grant: %+v", v)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		written.Reset()
		second := w.process("a")
		refused := make(chan error, 1)
		go func() { refused <- second.engine.Join(t.Context(), second) }()
		for range 3000 {
			time.Sleep(time.Millisecond)
			if home, held := b.Home("peer"); home != "a" || !held {
				t.Fatalf("the home of the peer is %q, %v", home, held)
			}
		}
		if err := <-refused; !errors.Is(err, cluster.ErrName) {
			t.Errorf("error %v", err)
		}
		w.members["a"] = first
		if v, _ := first.connect("further"); !v.Granted {
			t.Errorf("the first member stopped: %+v", v)
		}
		synctest.Wait()
		if written.Len() > 0 {
			t.Errorf("b logs %s", written.String())
		}
	})
}

func TestJoinRefusesALaterVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		later := w.net.Bus("later")
		stop := make(chan struct{})
		var speaking sync.WaitGroup
		speaking.Go(func() {
			for {
				_ = later.Publish("p2p.node.dir", []byte{2, 2})
				select {
				case <-stop:
					return
				case <-time.After(250 * time.Millisecond):
				}
			}
		})
		p := w.process("a")
		if err := p.engine.Join(t.Context(), p); !errors.Is(err, cluster.ErrVersion) {
			t.Errorf("error %v", err)
		}
		close(stop)
		speaking.Wait()
	})
}

func TestJoinEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		p := w.process("a")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := p.engine.Join(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// Random cuts, losses, kills, joins and moves of peers: after quiet all directories are equal, and each connected peer
// has one connection.
func TestRandomFaultsEndInOneHome(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runSeed(t, seed) })
		})
	}
}

func runSeed(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, seed)
	names := []string{"a", "b", "c", "d", "e"}[:3+random.IntN(3)]
	w.net.Delay(0, time.Duration(1+random.IntN(50))*time.Millisecond)
	w.start(names...)
	peers := peerNames(12)
	var work sync.WaitGroup
	for range 150 {
		w.randomStep(random, peers, &work)
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
	}
	w.net.Lose(0)
	w.net.HealAll()
	work.Wait()
	time.Sleep(quiet)
	w.check(peers)
}
