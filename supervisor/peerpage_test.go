package supervisor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
)

// entriesOf returns the keys of a page's entries.
func entriesOf(page PeerPage) (keys []string) {
	for _, p := range page.Peers {
		keys = append(keys, p.ID)
	}
	for _, d := range page.Dials {
		if key := d.key(); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// TestPeerPagesHoldEachEntryOnce reads connected, known, expected and unknown peers in pages of each size, and compares
// them with the complete lists.
func TestPeerPagesHoldEachEntryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Peers = []string{"10.0.0.2:9091", "10.0.0.9:1", "10.0.0.9:2#" + fmt.Sprintf("%032x", 7)}
			for i := range 5 {
				s.book.Add(Peer{ID: fmt.Sprintf("%032x", i), Name: "known"})
			}
		})
		b, c := startNode(t, n, 2), startNode(t, n, 3)
		c.dial(a)
		time.Sleep(10 * time.Minute)
		peers, err := a.Peers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept, err := a.KeptAddresses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := entriesOf(PeerPage{Peers: peers, Dials: kept})
		if len(peers) != 7 || len(kept) != 3 || len(all) != 9 {
			t.Fatalf("%d peers, %d addresses, %d entries", len(peers), len(kept), len(all))
		}
		for limit := 1; limit <= 10; limit++ {
			var got, connected []string
			for q := (PeerQuery{Limit: limit}); ; {
				page, err := a.PeerPage(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				found := entriesOf(page)
				if len(found) > limit || page.Next != "" && (len(found) != limit || page.Next != found[limit-1]) {
					t.Errorf("limit %d: a page of %d, next %q", limit, len(found), page.Next)
				}
				got = append(got, found...)
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if !slices.Equal(got, all) {
				t.Errorf("limit %d: entries %v, want %v", limit, got, all)
			}
			for q := (PeerQuery{Limit: limit, Connected: true}); ; {
				page, err := a.PeerPage(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				connected = append(connected, entriesOf(page)...)
				for _, p := range page.Peers {
					if p.ID == b.id() && (!p.Persistent || len(page.Dials) != 1) {
						t.Errorf("the kept peer: %+v, addresses %+v", p, page.Dials)
					}
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if want := []string{b.id(), c.id()}; len(connected) != 2 || !slices.Contains(want, connected[0]) ||
				!slices.Contains(want, connected[1]) || connected[0] > connected[1] {
				t.Errorf("limit %d: connected %v, want %v", limit, connected, want)
			}
		}
	})
}

// TestPeerPagesInUseOmitKnownPeers reads connected peers, verified or not, and kept addresses in pages of each size.
func TestPeerPagesInUseOmitKnownPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		expected := fmt.Sprintf("%032x", 7)
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Peers = []string{"10.0.0.2:9091", "10.0.0.9:1", "10.0.0.9:2#" + expected}
			s.book.Add(Peer{ID: fmt.Sprintf("%032x", 1), Name: "known"})
		})
		b, c := startNode(t, n, 2), startNode(t, n, 3)
		c.dial(a)
		time.Sleep(10 * time.Minute)
		want := []string{expected, b.id(), c.id(), "~10.0.0.9:1"}
		slices.Sort(want)
		for limit := 1; limit <= 5; limit++ {
			var got []string
			for q := (PeerQuery{Limit: limit, InUse: true}); ; {
				page, err := a.PeerPage(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, entriesOf(page)...)
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: %v, want %v", limit, got, want)
			}
		}
	})
}

// TestPageOfManyPeersBuildsOnlyItself requires a page to build no entry of another one.
func TestPageOfManyPeersBuildsOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.fakeRoutes(100_000, a.dial(b), "many")
		for name, call := range map[string]func() error{
			"peers": func() error {
				page, err := a.PeerPage(context.Background(), PeerQuery{Limit: 10})
				if len(page.Peers) != 10 {
					t.Errorf("%d peers", len(page.Peers))
				}
				return err
			},
			"connected": func() error {
				page, err := a.PeerPage(context.Background(), PeerQuery{Limit: 10, Connected: true})
				if len(page.Peers) != 10 {
					t.Errorf("%d peers", len(page.Peers))
				}
				return err
			},
		} {
			if allocations := testing.AllocsPerRun(3, func() {
				if err := call(); err != nil {
					t.Error(err)
				}
			}); allocations > 2000 {
				t.Errorf("%s: %v allocations", name, allocations)
			}
		}
	})
}

// TestLoadSumsConnections compares the load of a node with its connections.
func TestLoadSumsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2, sessionsOff), startNode(t, n, 3)
		if load := a.Load(); load != (Load{}) {
			t.Errorf("without peers: %+v", load)
		}
		a.dial(b)
		a.dial(c)
		time.Sleep(10 * time.Minute)
		load := a.Load()
		if load.Peers != 2 || load.Sessions != 1 || load.Queued != 0 || load.MinRTT > load.MedianRTT ||
			load.MedianRTT > load.MaxRTT {
			t.Errorf("%+v", load)
		}
	})
}

// TestTreeBuildsOnlyItsPart requires a tree of the oldest connections to need no list of all.
func TestTreeBuildsOnlyItsPart(t *testing.T) {
	r := &registry{self: &actor.PID{Id: "registry"}, slots: make(map[string]*slot)}
	for i := range 100_000 {
		id := fmt.Sprint(i)
		r.slots[id] = &slot{pid: &actor.PID{Id: id}, born: time.Unix(int64(i), 0)}
	}
	var before, after runtime.MemStats
	for _, limit := range []int{0, 10} {
		runtime.ReadMemStats(&before)
		tree := r.tree(limit)
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 100<<10 {
			t.Errorf("limit %d: %d bytes allocated", limit, bytes)
		}
		if len(tree.Connections) != limit || tree.Total != 100_000 {
			t.Fatalf("limit %d: %d of %d connections", limit, len(tree.Connections), tree.Total)
		}
		for i, c := range tree.Connections {
			if c.Actor != fmt.Sprint(i) {
				t.Errorf("limit %d: actor %s at %d", limit, c.Actor, i)
			}
		}
	}
}
