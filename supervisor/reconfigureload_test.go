package supervisor

import (
	"strings"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// flood returns how many messages of two bursts of 300, two seconds apart, reach the handler, and the dedup set's size.
func (w *fieldWorld) flood() any {
	other := w.peer()
	for range 2 {
		for range 300 {
			if err := other.Send(w.node.id(), other.to(w.node.id(), "flood", nil)); err != nil {
				w.t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
	}
	limit, share := w.node.dedup.Limits()
	return []int{len(w.node.got("flood")), limit, share}
}

// pace returns the time in which 130 messages are sent.
func (w *fieldWorld) pace() any {
	other := startNode(w.t, w.net, 2)
	w.node.dial(other)
	began := time.Now()
	for range 130 {
		if err := w.send(other, 1); err != nil {
			w.t.Fatal(err)
		}
	}
	return time.Since(began)
}

// speaksSMSG reports whether the node connects to a peer without sessions, in either direction.
func (w *fieldWorld) speaksSMSG() any {
	other := startNode(w.t, w.net, 2, func(s *nodeSetup) { s.cfg.Session = SessionOff })
	_, inbound := other.Connect(&Peer{Address: w.node.addr})
	time.Sleep(time.Minute)
	_, outbound := w.node.Connect(&Peer{Address: other.addr})
	return []bool{inbound == nil, outbound == nil}
}

// queued returns the number of messages of a size that the queue accepts while the peer reads nothing.
func (w *fieldWorld) queued(size int) any {
	other := w.peer()
	w.net.Stall(w.node.host.IP(), other.host.IP())
	c, taken := w.node.GetConnection(other.id()), 0
	if err := c.Post(w.node.to(other.id(), "large", strings.Repeat("x", 512<<10))); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait() // the writer is busy with it and takes nothing from the queue
	for c.Post(w.node.to(other.id(), "large", strings.Repeat("x", size))) == nil {
		taken++
	}
	return taken
}

// undelivered returns the number of messages that the node reads while the handler of their connection does not return.
func (w *fieldWorld) undelivered() any {
	release := make(chan struct{})
	w.node.mu.Lock()
	w.node.handler = func(*PeerConnection, *wire.Message) { <-release }
	w.node.mu.Unlock()
	other := w.peer()
	for range 90 {
		_ = other.GetConnection(w.node.id()).Post(other.to(w.node.id(), "large", strings.Repeat("x", 64<<10)))
	}
	time.Sleep(time.Second)
	defer close(release)
	return w.node.count(actors.MessagesReceived)
}
