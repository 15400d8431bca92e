// Package memnet is an in-memory network for tests on virtual time (testing/synctest): hosts with addresses of their
// own, listeners, dials and stream connections with bounded buffers, latency and deadlines, and the faults that a
// driver sets: stalls, silence one way, resets, half-open connections, corrupted bytes, partitions, dead hosts.
//
// A byte travels:
//
//	Write → wire (latency; a stalled path holds it here) → buffer of the other end → Read
//
// Wire and buffer of one direction together hold Capacity bytes at most, so a peer that does not read exerts
// backpressure. Everything random comes from the seed. All of it is guarded by one lock: a network belongs to one test.
package memnet

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Capacity is how many bytes one direction of a connection holds, under way and received.
const Capacity = 256 << 10

// Network is a set of hosts and the paths between them. Make it inside the bubble. Safe for concurrent use.
type Network struct {
	mu      sync.Mutex
	changed *sync.Cond // something that a dial may wait for
	random  *rand.Rand
	hosts   map[string]*Host // the present incarnation of each address
	paths   map[pathKey]*path
	ends    map[*end]struct{} // not closed by their owner
	serial  int
}

// pathKey names one direction between two hosts.
type pathKey struct{ from, to string }

// path is the state of one direction between two hosts.
type path struct {
	latency time.Duration
	stalled bool // bytes stay on the wire
	refuses bool // new dials are refused at once rather than hang
	corrupt int  // of the next writes, how many get a flipped bit
}

// New returns an empty network; seed decides what is random in it.
func New(seed uint64) *Network {
	n := &Network{
		random: rand.New(rand.NewPCG(seed, 0x6d656d6e6574)),
		hosts:  make(map[string]*Host), paths: make(map[pathKey]*path), ends: make(map[*end]struct{}),
	}
	n.changed = sync.NewCond(&n.mu)
	return n
}

// path returns the state of one direction; n.mu is held.
func (n *Network) path(from, to string) *path {
	key := pathKey{from, to}
	p := n.paths[key]
	if p == nil {
		p = &path{}
		n.paths[key] = p
	}
	return p
}

// change runs do on one direction and lets everybody look again.
func (n *Network) change(from, to string, do func(*path)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(n.path(from, to))
	n.lookAgain()
}

// lookAgain moves what can move now that faults have changed; n.mu is held.
func (n *Network) lookAgain() {
	for _, e := range n.sorted() {
		e.arrive()
		e.peer.arrive()
	}
	n.changed.Broadcast()
}

// SetLatency sets the one-way latency from one host to another. What is under way keeps its time.
func (n *Network) SetLatency(from, to string, d time.Duration) {
	n.change(from, to, func(p *path) { p.latency = d })
}

// Stall holds all bytes from one host to another, closes and resets included; new dials hang.
func (n *Network) Stall(from, to string) { n.change(from, to, func(p *path) { p.stalled = true }) }

// Resume ends Stall: what was held arrives.
func (n *Network) Resume(from, to string) { n.change(from, to, func(p *path) { p.stalled = false }) }

// Refuse makes dials between two hosts fail at once while the path between them is stalled.
func (n *Network) Refuse(a, b string) {
	n.change(a, b, func(p *path) { p.refuses = true })
	n.change(b, a, func(p *path) { p.refuses = true })
}

// Corrupt flips one bit in each of the next writes from one host to another.
func (n *Network) Corrupt(from, to string, writes int) {
	n.change(from, to, func(p *path) { p.corrupt = writes })
}

// Partition stalls every path between two groups of hosts, both ways.
func (n *Network) Partition(some, others []string) {
	for _, a := range some {
		for _, b := range others {
			n.Stall(a, b)
			n.Stall(b, a)
		}
	}
}

// Heal ends every fault of every path. Latency stays.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.paths {
		*p = path{latency: p.latency}
	}
	n.lookAgain()
}

// Clean reports whether neither direction between two hosts has a fault.
func (n *Network) Clean(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range []*path{n.path(a, b), n.path(b, a)} {
		if p.stalled || p.corrupt > 0 {
			return false
		}
	}
	return true
}

// Leaks describes the connections that their owners have not closed, for tests that expect none.
func (n *Network) Leaks() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, e := range n.sorted() {
		all = append(all, fmt.Sprintf("%v → %v", e.local, e.remote))
	}
	return all
}

// sorted returns the ends that are not closed, oldest first: maps have no order that a seed could decide.
func (n *Network) sorted() []*end {
	all := make([]*end, 0, len(n.ends))
	for e := range n.ends {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *end) int { return cmp.Compare(a.serial, b.serial) })
	return all
}
