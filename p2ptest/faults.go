package p2ptest

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
)

// maxLatency limits the latency that Fault draws.
const maxLatency = 400 * time.Millisecond

// Cut resets all connections between two nodes. New ones can be opened at once.
func (s *Simulation) Cut(a, b *Node) {
	for _, link := range s.net.Links(a.ip, b.ip) {
		link.Cut()
	}
}

// Block holds every byte between two nodes, in both directions, until Unblock. Dials block. Neither node notices until
// its timeouts.
func (s *Simulation) Block(a, b *Node) {
	s.BlockOneWay(a, b)
	s.BlockOneWay(b, a)
}

// BlockOneWay is Block for the bytes from one node to another.
func (s *Simulation) BlockOneWay(from, to *Node) {
	s.blocked[[2]string{from.ip, to.ip}] = true
	s.net.Stall(from.ip, to.ip)
}

// Unblock ends Block and BlockOneWay between two nodes. The held bytes arrive.
func (s *Simulation) Unblock(a, b *Node) {
	delete(s.blocked, [2]string{a.ip, b.ip})
	delete(s.blocked, [2]string{b.ip, a.ip})
	s.resume(a, b)
}

// SetLatency sets the one-way latency between two nodes, in both directions.
func (s *Simulation) SetLatency(a, b *Node, latency time.Duration) {
	s.net.SetLatency(a.ip, b.ip, latency)
	s.net.SetLatency(b.ip, a.ip, latency)
}

// Freeze suspends a node, as SIGSTOP or a paused machine does, until Thaw: no byte leaves or reaches it, and its
// timeouts of peers stand still. The program's own code and timers continue, since they share the process of the test.
// It does nothing while the node is down or frozen.
func (n *Node) Freeze() {
	if n.up && n.wake == nil {
		n.wake = runclock.FreezeForTest(n.running)
		n.sim.stallFrozen()
	}
}

// Thaw ends Freeze. The bytes that were held arrive.
func (n *Node) Thaw() {
	if n.wake == nil {
		return
	}
	wake := n.wake
	n.wake = nil
	wake()
	for _, other := range n.sim.nodes {
		if other != n {
			n.sim.resume(n, other)
		}
	}
}

// Frozen reports whether the node is frozen.
func (n *Node) Frozen() bool { return n.wake != nil }

// stallFrozen stalls the paths of all frozen nodes.
func (s *Simulation) stallFrozen() {
	for _, a := range s.nodes {
		for _, b := range s.nodes {
			if a != b && (a.Frozen() || b.Frozen()) {
				s.net.Stall(a.ip, b.ip)
			}
		}
	}
}

// resume resumes both directions between two nodes, unless another fault holds them.
func (s *Simulation) resume(a, b *Node) {
	if a.Frozen() || b.Frozen() {
		return
	}
	for _, way := range [][2]string{{a.ip, b.ip}, {b.ip, a.ip}} {
		if !s.blocked[way] {
			s.net.Resume(way[0], way[1])
		}
	}
}

// Heal ends every fault: blocked paths are open, frozen nodes continue, nodes that are down start. Latencies stay. The
// nodes reconnect by themselves: give them three minutes, the sum of their silence limit, the longest pause between
// dials and a handshake.
func (s *Simulation) Heal() {
	clear(s.blocked)
	for _, n := range s.nodes {
		n.Thaw()
	}
	s.net.Heal()
	for _, n := range s.nodes {
		if err := n.Start(); err != nil {
			s.t.Errorf("start %s: %v", n.name, err)
		}
	}
}

// Fault draws a fault of a random node and injects it: a cut, a blocked path, another latency, a freeze, a kill or a
// graceful stop. If the node or path has such a fault already, it ends instead. It returns a description.
func (s *Simulation) Fault() string {
	fault := s.draw()
	s.faults = append(s.faults, fmt.Sprintf("%v: %s", time.Since(s.began), fault))
	return fault
}

func (s *Simulation) draw() string {
	if len(s.nodes) == 0 {
		return "no node"
	}
	order := s.random.Perm(len(s.nodes))
	a := s.nodes[order[0]]
	if len(order) == 1 {
		return s.drawNode(a)
	}
	switch b := s.nodes[order[1]]; s.random.IntN(6) {
	case 0:
		s.Cut(a, b)
		return fmt.Sprintf("%s and %s are cut", a.name, b.name)
	case 1:
		return s.drawBlock(a, b)
	case 2:
		latency := time.Duration(s.random.Int64N(int64(maxLatency)))
		s.SetLatency(a, b, latency)
		return fmt.Sprintf("the latency between %s and %s is %v", a.name, b.name, latency)
	default:
		return s.drawNode(a)
	}
}

// drawBlock blocks the path between two nodes, or ends that.
func (s *Simulation) drawBlock(a, b *Node) string {
	switch blocked := s.blocked[[2]string{a.ip, b.ip}] || s.blocked[[2]string{b.ip, a.ip}]; {
	case blocked:
		s.Unblock(a, b)
		return fmt.Sprintf("%s and %s are unblocked", a.name, b.name)
	case s.random.IntN(2) == 0:
		s.BlockOneWay(a, b)
		return fmt.Sprintf("%s is blocked towards %s", a.name, b.name)
	default:
		s.Block(a, b)
		return fmt.Sprintf("%s and %s are blocked", a.name, b.name)
	}
}

// drawNode ends the fault of a node, or draws one.
func (s *Simulation) drawNode(n *Node) string {
	if !n.up {
		if err := n.Start(); err != nil {
			s.t.Errorf("start %s: %v", n.name, err)
		}
		return n.name + " starts"
	}
	if n.Frozen() {
		n.Thaw()
		return n.name + " continues"
	}
	switch s.random.IntN(4) {
	case 0:
		n.Kill()
		return n.name + " is killed"
	case 1:
		n.PowerOff()
		return n.name + " loses its power"
	case 2:
		if err := n.Stop(); err != nil {
			s.t.Errorf("stop %s: %v", n.name, err)
		}
		return n.name + " stops"
	default:
		n.Freeze()
		return n.name + " is frozen"
	}
}
