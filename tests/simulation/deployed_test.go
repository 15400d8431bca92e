package simulation

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// Nodes that were rolled back to a deployed release: SMSG without binds, no features, one map entry per peer.

// deployed is such an incarnation of a node.
type deployed struct {
	*refpeer.Deployed
	stop   context.CancelFunc
	dials  sync.WaitGroup
	began  time.Time
	pinned map[int]bool // nodes that had a pin for this node at the rollback
	read   int          // number of received messages that are in the ledger
}

// stepRollback replaces a node by a deployed one with the same key.
func (w *world) stepRollback() string {
	n := w.some()
	if !n.up || w.plain || w.disks { // a deployed node keeps no seen IDs on disk
		return ""
	}
	if w.random.IntN(2) == 0 {
		n.stop()
	} else {
		n.crash(w.random.IntN(2) == 0, true)
	}
	n.rollBack(w.random.IntN(2) == 0)
	return fmt.Sprintf("node %d is rolled back to a deployed release", n.index)
}

// rollBack starts a deployed incarnation; worker makes it answer pings.
func (n *node) rollBack(worker bool) {
	n.host = n.w.net.Attach(n.ip)
	ln, err := n.host.Listen(p2ptest.Port)
	n.must(err)
	keys, err := refpeer.Load(fmt.Sprintf("node%d", n.index), privateKey(n.index))
	n.must(err)
	ctx, stop := context.WithCancel(context.Background())
	old := &deployed{stop: stop, began: time.Now(), pinned: make(map[int]bool), Deployed: refpeer.StartDeployed(
		refpeer.DeployedOptions{
			Identity: keys, PingInterval: 30 * time.Second, Worker: worker, Listener: ln, NetDial: n.host.DialContext,
		})}
	for _, other := range n.w.nodes {
		if other.pins(n.id) && other.mode() == supervisor.SessionPin {
			old.pinned[other.index] = true
		}
		if n.w.wants[[2]int{n.index, other.index}] {
			old.dials.Go(func() { old.keep(ctx, other) })
		}
	}
	n.old, n.born = old, old.began
	n.w.mu.Lock()
	n.rolledBack = true
	n.w.mu.Unlock()
	n.w.upsetAll(n.index, time.Now().Add(calmAfter))
}

// pins reports whether the book of a running node has a pin for a peer.
func (n *node) pins(id string) bool {
	if !n.up {
		return false
	}
	known, _ := n.book.Get(id)
	return known.Session
}

// keep dials a node every 5 s while there is no connection to it.
func (d *deployed) keep(ctx context.Context, to *node) {
	for ctx.Err() == nil {
		if len(d.Conns(to.id)) == 0 {
			limited, cancel := context.WithTimeout(ctx, 10*time.Second)
			_ = d.Connect(limited, "ws://"+to.address()+"/ws")
			cancel()
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
}

// retire ends the deployed incarnation.
func (n *node) retire() {
	n.w.collect(n)
	n.old.stop()
	n.host.Crash(false)
	n.old.Close()
	n.old.dials.Wait()
	n.w.collect(n)
	n.old = nil
	n.w.upsetAll(n.index, time.Now().Add(calmAfter))
}

// collect enters the messages that a deployed node has received into the ledger, and checks them.
func (w *world) collect(n *node) {
	all := n.old.Received()
	for _, e := range all[n.old.read:] {
		if e.Type != string(typeTell) && e.Type != string(typeAsk) && e.Type != string(typeAnswer) {
			continue
		}
		from := w.indexOf(e.From)
		if sent := w.ledger.made[e.ID]; sent == nil || !bytes.Equal(sent.Payload, e.Payload) {
			w.fault("deployed node %d: %s from %d was never sent or differs", n.index, e.ID, from)
		}
		w.ledger.deliver(e.ID, delivery{at: time.Now(), to: n.index, life: len(n.lives)})
		w.checkUnpinned(n, w.nodes[from], e.ID)
	}
	n.old.read = len(all)
}

// checkUnpinned checks a message that a deployed node has received: a sender that had a pin and dialled the connection
// has removed the pin with a warning. An unmarked inbound connection carries messages without one, but keeps the pin.
func (w *world) checkUnpinned(n, sender *node, id string) {
	if !n.old.pinned[sender.index] || !sender.up || !w.ledger.dialled(id, sender.index, n.index) ||
		sender.born.After(n.old.began) ||
		sender.mode() != supervisor.SessionPin {
		return
	}
	sender.mu.Lock()
	warned := sender.warned[n.id]
	sender.mu.Unlock()
	if sender.pins(n.id) || !warned {
		w.fault("node %d sent the pinned node %d a message over SMSG, pinned %t, warned %t",
			sender.index, n.index, sender.pins(n.id), warned)
	}
}

// stepOldTells has a deployed node send to one of its peers.
func (w *world) stepOldTells() string {
	for _, i := range w.random.Perm(len(w.nodes)) {
		n := w.nodes[i]
		if n.old == nil {
			continue
		}
		for _, j := range w.random.Perm(len(w.nodes)) {
			conns := n.old.Conns(w.nodes[j].id)
			if len(conns) == 0 {
				continue
			}
			for range 3 {
				w.tellFromOld(n, w.nodes[j], conns[len(conns)-1])
			}
			return fmt.Sprintf("deployed node %d tells %d", i, j)
		}
	}
	return ""
}

// tellFromOld sends a message of a deployed node and returns its ID.
func (w *world) tellFromOld(n, to *node, via *refpeer.Conn) string {
	e, err := refpeer.NewEnvelope(string(typeTell), n.id, to.id, strings.Repeat("old ", 1+w.random.IntN(9)))
	n.must(err)
	at, err := time.Parse(time.RFC3339Nano, e.TS)
	n.must(err)
	msg := &wire.Message{ID: e.ID, Type: typeTell, From: e.From, To: e.To, Timestamp: at, Payload: e.Payload}
	d := w.ledger.begin(msg, dispatch{from: n.index, to: to.index})
	w.ledger.end(d, via.SendEnvelope(e))
	return e.ID
}

// checkOld checks that a node and a deployed one have a verified SMSG connection that carries messages.
func (w *world) checkOld(n, old *node) {
	c := n.transport.GetConnection(old.id)
	if required := n.mode() == supervisor.SessionRequire; required || c == nil {
		if required != (c == nil) {
			w.fault("node %d with sessions %v and deployed node %d: connected %t", n.index, n.mode(), old.index, c != nil)
		}
		return
	}
	if c.Strength() != supervisor.Unmarked || c.Format().Session {
		w.fault("node %d and deployed node %d: strength %v, format %v", n.index, old.index, c.Strength(), c.Format())
	}
	w.probe(n, old)
	conns := old.old.Conns(n.id)
	if len(conns) == 0 {
		w.fault("node %d and deployed node %d: connected at one side only", n.index, old.index)
		return
	}
	id := w.tellFromOld(old, n, conns[len(conns)-1])
	w.pass(2 * time.Second)
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if !w.ledger.arrived(id, n.index) {
		w.fault("deployed node %d and node %d: a probe did not arrive", old.index, n.index)
	}
}

// warnings is a log handler that notes the warnings about removed pins.
type warnings struct {
	slog.Handler
	n *node
}

// Enabled implements slog.Handler.
func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h warnings) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "its pin was removed") {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "peer" {
				h.n.mu.Lock()
				defer h.n.mu.Unlock()
				h.n.warned[a.Value.String()] = true
			}
			return true
		})
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}
