package clusterlab

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// longestAway is the longest time for which a peer may have no connection in a drain or after a kill.
const longestAway = 15 * time.Second

// people are many peers in this process, on real sockets.
type people struct {
	t    *testing.T
	list []*person
}

// newPeople starts peers, each with the addresses of all members, and stops them at the end of the test.
func newPeople(t *testing.T, c *cluster, n int, newPeer func(int, []string) (*person, error)) *people {
	t.Helper()
	p := &people{t: t, list: make([]*person, n)}
	t.Cleanup(p.stop)
	var starting sync.WaitGroup
	gate := make(chan struct{}, 8)
	for i := range p.list {
		gate <- struct{}{}
		starting.Go(func() {
			defer func() { <-gate }()
			one, err := newPeer(i, c.addresses(i))
			if err != nil {
				t.Error(err)
				return
			}
			p.list[i] = one
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return p
}

// addresses returns the pinned addresses of all members for a peer with this number. Each begins at another member, and
// continues at the others in either order.
func (c *cluster) addresses(number int) (all []string) {
	n := len(c.names)
	step := 1
	if number/n%2 == 1 {
		step = n - 1
	}
	for i := range n {
		all = append(all, c.listen[c.names[(number+i*step)%n]]+"#"+c.id)
	}
	return all
}

func (p *people) stop() {
	var stopping sync.WaitGroup
	for _, one := range p.list {
		if one != nil {
			stopping.Go(one.stop)
		}
	}
	stopping.Wait()
}

// count returns the number of peers that satisfy a condition.
func (p *people) count(ok func(*person) bool) (n int) {
	for _, one := range p.list {
		one.mu.Lock()
		if ok(one) {
			n++
		}
		one.mu.Unlock()
	}
	return n
}

// awaitConnected waits until every peer is connected, and every peer belongs to one of the members.
func (p *people) awaitConnected(c *cluster, limit time.Duration) (took time.Duration, homes []int) {
	p.t.Helper()
	began := time.Now()
	for last := 0; ; time.Sleep(50 * time.Millisecond) {
		homes = nil
		if last = p.count(connected); last == len(p.list) {
			sum := 0
			for _, name := range c.running() {
				n := len(c.owned(name))
				homes, sum = append(homes, n), sum+n
			}
			if sum == len(p.list) {
				return time.Since(began), homes
			}
		}
		if time.Since(began) > limit {
			p.t.Fatalf("%d of %d peers are connected, homes %v", last, len(p.list), homes)
		}
	}
}

// reset forgets the times without a connection.
func (p *people) reset() { p.count(func(w *person) bool { w.away = 0; return false }) }

// checkAway logs the times without a connection of the peers that had one, and requires that none exceeds longestAway.
func (p *people) checkAway(what string) {
	p.t.Helper()
	var all []time.Duration
	p.count(func(w *person) bool {
		if w.away > 0 {
			all = append(all, w.away)
		}
		return false
	})
	if len(all) == 0 {
		p.t.Logf("%s: no peer was away", what)
		return
	}
	p.t.Logf("%s: away: %s", what, spread(all))
	if longest := slices.Max(all); longest > longestAway {
		p.t.Errorf("%s: a peer was away for %v, want %v at most", what, longest, longestAway)
	}
}

// broadcast sends a broadcast of one member, and requires that each peer receives it exactly once.
func (p *people) broadcast(c *cluster, from, kind string) {
	p.t.Helper()
	began := time.Now()
	if r := c.members[from].Run("broadcast", "--type", kind, `"to all"`); r.Code != 0 {
		p.t.Errorf("broadcast of %s: %s", from, r.Stderr)
	}
	end := time.Now().Add(patience)
	for p.count(func(w *person) bool { return w.received[kind] > 0 }) < len(p.list) && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(began)
	time.Sleep(time.Second) // copies would arrive now
	counts := make(map[int]int)
	p.count(func(w *person) bool { counts[w.received[kind]]++; return false })
	p.t.Logf("broadcast of %s: copies to peers %v, in %v", from, counts, took.Round(time.Millisecond))
	if counts[1] != len(p.list) {
		p.t.Errorf("broadcast of %s: copies to peers %v, want 1 to each", from, counts)
	}
}

// TestManyPeersOutliveDrainAndKill connects many peers to three members: broadcasts, the drain of a member, its start,
// the kill of another one.
func TestManyPeersOutliveDrainAndKill(t *testing.T) {
	n, newPeer := 60, newNode
	if *lab {
		n, newPeer = *crowd, newLight
		if *whole {
			newPeer = newNode
		}
	}
	c := newCluster(t, "a", "b", "c")
	c.flags = []string{
		"--max-conns", fmt.Sprint(2*n + 100), "--max-conns-per-address", "-1", "--known-peers", fmt.Sprint(2*n + 100),
		"--events", "no-payloads", "--shutdown-timeout", "1m",
	}
	c.start("a", "b", "c")
	c.awaitAll()
	began, m0 := time.Now(), c.meter()
	p := newPeople(t, c, n, newPeer)
	_, homes := p.awaitConnected(c, 5*time.Minute)
	t.Logf("%d peers connected after %v; at the members %v", n, time.Since(began).Round(time.Millisecond), homes)
	m0.log("start")
	p.broadcast(c, "a", "first")

	p.reset()
	m := c.meter()
	r := c.members["b"].Run("drain", "--wait")
	took, homes := p.awaitConnected(c, time.Minute)
	t.Logf("drain: exit code %d, all connected %v later; at the members %v", r.Code, took.Round(time.Millisecond), homes)
	p.checkAway("drain")
	m.log("drain")
	p.broadcast(c, "c", "drained")
	c.members["b"].Stop()
	delete(c.members, "b")
	c.start("b")
	c.awaitAll()

	p.reset()
	m = c.meter()
	c.kill("c")
	took, homes = p.awaitConnected(c, 2*time.Minute)
	t.Logf("kill: all connected after %v; at the members %v", took.Round(time.Millisecond), homes)
	p.checkAway("kill")
	m.log("kill")
	c.awaitStates("b", "a alive", "b alive", "c lost")
	p.broadcast(c, "b", "killed")
}
