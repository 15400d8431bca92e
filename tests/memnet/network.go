// Package memnet is an in-memory network for tests on virtual time (testing/synctest). It has hosts with their own
// addresses, listeners, dials and stream connections with bounded buffers, latency and deadlines. The test driver
// injects faults: stalls in one or both directions, resets, half-open connections, corrupted bytes, partitions and
// crashed hosts.
//
// A byte travels:
//
//	Write → wire (latency; a stalled path holds it here) → buffer of the other end → Read
//
// The wire and the buffer of one direction together hold at most Capacity bytes, so a peer that does not read exerts
// backpressure. The seed determines all random choices. One lock guards the whole network, which belongs to one test.
package memnet

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Capacity limits the bytes of one direction of a connection, in flight and received but unread: 256 KiB.
const Capacity = 256 << 10

// Network is a set of hosts and the paths between them. Create it inside the bubble. Safe for concurrent use.
type Network struct {
	mu      sync.Mutex
	changed *sync.Cond // wakes blocked dials and Accepts
	random  *rand.Rand
	hosts   map[string]*Host // the current incarnation by address
	paths   map[pathKey]*path
	ends    map[*end]struct{} // not yet closed
	serial  int
}

// pathKey names one direction between two hosts.
type pathKey struct{ from, to string }

// path is the state of one direction between two hosts.
type path struct {
	latency time.Duration
	stalled bool   // bytes stay on the wire
	refuses bool   // while stalled, new dials fail at once instead of blocking
	corrupt int    // number of following writes to corrupt
	via     string // new dials reach this host instead; empty: none
}

// New returns an empty network. The seed determines its random choices.
func New(seed uint64) *Network {
	n := &Network{
		random: rand.New(rand.NewPCG(seed, 0x6d656d6e6574)),
		hosts:  make(map[string]*Host), paths: make(map[pathKey]*path), ends: make(map[*end]struct{}),
	}
	n.changed = sync.NewCond(&n.mu)
	return n
}

// path returns the state of one direction. The caller holds n.mu.
func (n *Network) path(from, to string) *path {
	key := pathKey{from, to}
	p := n.paths[key]
	if p == nil {
		p = &path{}
		n.paths[key] = p
	}
	return p
}

// change runs do on one direction, delivers due segments and wakes blocked dials.
func (n *Network) change(from, to string, do func(*path)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(n.path(from, to))
	n.retry()
}

// retry delivers due segments and wakes blocked dials after a change of the faults. The caller holds n.mu.
func (n *Network) retry() {
	for _, e := range n.sorted() {
		e.arrive()
		e.peer.arrive()
	}
	n.changed.Broadcast()
}

// SetLatency sets the one-way latency from one host to another. Bytes in flight keep their time of arrival.
func (n *Network) SetLatency(from, to string, d time.Duration) {
	n.change(from, to, func(p *path) { p.latency = d })
}

// Stall holds all segments from one host to another, including closes and resets. New dials block.
func (n *Network) Stall(from, to string) { n.change(from, to, func(p *path) { p.stalled = true }) }

// Resume ends Stall and delivers the held segments.
func (n *Network) Resume(from, to string) { n.change(from, to, func(p *path) { p.stalled = false }) }

// Refuse makes dials between two hosts fail at once, instead of blocking, while their path is stalled.
func (n *Network) Refuse(a, b string) {
	n.change(a, b, func(p *path) { p.refuses = true })
	n.change(b, a, func(p *path) { p.refuses = true })
}

// Corrupt flips one bit in each of the next writes from one host to another.
func (n *Network) Corrupt(from, to string, writes int) {
	n.change(from, to, func(p *path) { p.corrupt = writes })
}

// Divert makes new dials from one host to another reach the host at via instead, as a relay on the path would. An empty
// via ends it; open connections stay.
func (n *Network) Divert(from, to, via string) { n.change(from, to, func(p *path) { p.via = via }) }

// Partition stalls every path between two groups of hosts, in both directions.
func (n *Network) Partition(some, others []string) {
	for _, a := range some {
		for _, b := range others {
			n.Stall(a, b)
			n.Stall(b, a)
		}
	}
}

// Heal ends all faults of all paths and keeps their latencies.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.paths {
		*p = path{latency: p.latency}
	}
	n.retry()
}

// Clean reports whether both directions between two hosts are free of faults.
func (n *Network) Clean(a, b string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range []*path{n.path(a, b), n.path(b, a)} {
		if p.stalled || p.corrupt > 0 || p.via != "" {
			return false
		}
	}
	return true
}

// Leaks describes each end that is not closed, for tests that expect none.
func (n *Network) Leaks() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, e := range n.sorted() {
		all = append(all, fmt.Sprintf("%v → %v", e.local, e.remote))
	}
	return all
}

// sorted returns the open ends, oldest first, because the random order of a map would not follow the seed.
func (n *Network) sorted() []*end {
	all := make([]*end, 0, len(n.ends))
	for e := range n.ends {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *end) int { return cmp.Compare(a.serial, b.serial) })
	return all
}
