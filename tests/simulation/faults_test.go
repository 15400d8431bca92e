package simulation

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// stranger connects, misbehaves and waits until the node closes the connection.
func stranger(host *memnet.Host, address string, kind int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := host.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	switch kind {
	case 1:
		_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	case 2:
		_, _ = io.WriteString(conn, "nonsense\r\n\r\n")
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.Copy(io.Discard, conn)
}

func (w *world) stepLatency() string {
	a, b := w.two()
	d := time.Duration(w.random.IntN(400)) * time.Millisecond
	w.net.SetLatency(a.ip, b.ip, d)
	if w.random.IntN(2) == 0 {
		w.net.SetLatency(b.ip, a.ip, d)
	}
	return fmt.Sprintf("latency from %d to %d is %v", a.index, b.index, d)
}

// link returns two random nodes and a random connection between them; ok is false if they have none.
func (w *world) link() (a, b *node, link memnet.Link, ok bool) {
	a, b = w.two()
	links := w.net.Links(a.ip, b.ip)
	if len(links) == 0 {
		return a, b, link, false
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	return a, b, links[w.random.IntN(len(links))], true
}

func (w *world) stepCut() string {
	a, b, link, ok := w.link()
	if !ok {
		return ""
	}
	link.Cut()
	return fmt.Sprintf("a connection of %d and %d is cut", a.index, b.index)
}

func (w *world) stepVanish() string {
	a, b, link, ok := w.link()
	if !ok || b.old != nil { // a deployed node keeps the connection until the operating system gives up
		return ""
	}
	link.Vanish(a.ip)
	return fmt.Sprintf("a connection of %d and %d is half open: lost by %d", a.index, b.index, a.index)
}

func (w *world) stepStall() string {
	a, b := w.two()
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	w.net.Stall(a.ip, b.ip)
	if w.random.IntN(2) == 0 {
		return fmt.Sprintf("packets from %d to %d stall", a.index, b.index)
	}
	w.net.Stall(b.ip, a.ip)
	return fmt.Sprintf("packets between %d and %d stall", a.index, b.index)
}

func (w *world) stepCorrupt() string {
	a, b := w.two()
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	w.net.Corrupt(a.ip, b.ip, 1+w.random.IntN(3))
	return fmt.Sprintf("bits flip from %d to %d", a.index, b.index)
}

func (w *world) stepPartition() string {
	var some, others []string
	for _, n := range w.nodes {
		if w.random.IntN(2) == 0 {
			some = append(some, n.ip)
		} else {
			others = append(others, n.ip)
		}
	}
	w.net.Partition(some, others)
	if w.random.IntN(2) == 0 {
		for _, a := range some {
			for _, b := range others {
				w.net.Refuse(a, b)
			}
		}
	}
	return fmt.Sprintf("partition: %v and %v", some, others)
}

// stepHeal ends the faults between two nodes, or all of them.
func (w *world) stepHeal() string {
	w.markTrouble()
	if w.random.IntN(3) == 0 {
		w.net.Heal()
		return "the network heals"
	}
	a, b := w.two()
	w.net.Resume(a.ip, b.ip)
	w.net.Resume(b.ip, a.ip)
	return fmt.Sprintf("the path between %d and %d heals", a.index, b.index)
}

// markTrouble records the pairs that have a fault at this moment.
func (w *world) markTrouble() {
	for i, a := range w.nodes {
		for j, b := range w.nodes[:i] {
			if !w.clean(a, b) {
				w.upset(i, j, time.Now().Add(calmAfter))
			}
			for _, link := range w.net.Links(a.ip, b.ip) {
				if link.Damaged() {
					w.flipped[pairOf(i, j)] = time.Now()
				}
			}
		}
	}
}

func (w *world) stepGate() string {
	n := w.some()
	switch w.random.IntN(4) {
	case 0:
		n.gate.close()
		return fmt.Sprintf("the handlers of node %d block", n.index)
	case 1:
		n.gate.panicNext(1 + w.random.IntN(5))
		return fmt.Sprintf("the handlers of node %d panic", n.index)
	default:
		n.gate.open()
		return fmt.Sprintf("the handlers of node %d resume", n.index)
	}
}

func (w *world) stepCrash() string {
	n := w.some()
	if !n.up {
		return ""
	}
	powerCut, flushed := w.random.IntN(2) == 0, w.random.IntN(2) == 0
	n.crash(powerCut, flushed)
	return fmt.Sprintf("node %d crashes: power cut %t, disk flushed %t", n.index, powerCut, flushed)
}

func (w *world) stepStop() string {
	n := w.some()
	if !n.up {
		return ""
	}
	n.stop()
	return fmt.Sprintf("node %d stops", n.index)
}

func (w *world) stepStart() string {
	for _, i := range w.random.Perm(len(w.nodes)) {
		if n := w.nodes[i]; !n.up {
			n.start()
			return fmt.Sprintf("node %d starts", i)
		}
	}
	return ""
}

func (w *world) stepClock() string {
	n := w.some()
	if !n.up {
		return ""
	}
	n.skew.Store(w.random.Int64N(2*int64(maxSkew)) - int64(maxSkew))
	return fmt.Sprintf("the clock of node %d is off by %v", n.index, time.Duration(n.skew.Load()))
}
