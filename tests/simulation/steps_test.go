package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// step is one action of the simulation. do performs it and returns its description, or "" if it does not apply now.
type step struct {
	weight int
	do     func(*world) string
}

var allSteps = []step{
	{12, (*world).stepTell},
	{6, (*world).stepBroadcast},
	{4, (*world).stepAsk},
	{2, (*world).stepChatter},
	{1, (*world).stepFlood},
	{4, (*world).stepAgain},
	{3, (*world).stepReplay},
	{2, (*world).stepComeback},
	{3, (*world).stepMeet},
	{3, (*world).stepConnect},
	{2, (*world).stepClose},
	{3, (*world).stepStrangers},
	{3, (*world).stepLatency},
	{4, (*world).stepCut},
	{3, (*world).stepVanish},
	{5, (*world).stepStall},
	{2, (*world).stepCorrupt},
	{3, (*world).stepPartition},
	{6, (*world).stepHeal},
	{4, (*world).stepKill},
	{1, (*world).stepRegistry},
	{2, (*world).stepFuse},
	{3, (*world).stepGate},
	{4, (*world).stepCrash},
	{3, (*world).stepStop},
	{8, (*world).stepStart},
	{2, (*world).stepClock},
	{2, (*world).stepLeap},
	{2, (*world).stepFreeze},
	{2, (*world).stepSlow},
	{3, (*world).stepCrossClaim},
	{4, (*world).stepUpgrade},
	{4, (*world).stepReconfigure},
	{1, (*world).stepHours},
	{6, (*world).stepRelay},
	{4, (*world).stepRollback},
	{4, (*world).stepOldTells},
}

// draw picks steps at random until one applies, at most 20, and returns its description.
func (w *world) draw() string {
	total := 0
	for _, s := range allSteps {
		total += s.weight
	}
	for range 20 {
		k := w.random.IntN(total)
		for _, s := range allSteps {
			if k -= s.weight; k < 0 {
				if did := s.do(w); did != "" {
					return did
				}
				break
			}
		}
	}
	return "no step applies"
}

// some returns a random node.
func (w *world) some() *node { return w.nodes[w.random.IntN(len(w.nodes))] }

// two returns two different random nodes.
func (w *world) two() (a, b *node) {
	i := w.random.IntN(len(w.nodes))
	j := (i + 1 + w.random.IntN(len(w.nodes)-1)) % len(w.nodes)
	return w.nodes[i], w.nodes[j]
}

// linked returns a random node, a random peer of it and their connection. c is nil if the node is down or unconnected.
func (w *world) linked() (a, b *node, c *supervisor.PeerConnection) {
	a = w.some()
	if !a.up {
		return a, nil, nil
	}
	for _, j := range w.random.Perm(len(w.nodes)) {
		if c = a.transport.GetConnection(w.nodes[j].id); c != nil {
			return a, w.nodes[j], c
		}
	}
	return a, nil, nil
}

// message returns a message of random size from n to the node ID to, stamped by the clock of n.
func (w *world) message(n *node, kind wire.MessageType, to string) *wire.Message {
	size := 1 + w.random.IntN(40)
	if w.random.IntN(60) == 0 {
		size = w.random.IntN(60_000)
	}
	msg, err := wire.NewMessage(kind, n.id, to, strings.Repeat("\u00e9\"<", size))
	n.must(err)
	msg.Timestamp = n.wall().UTC()
	return msg
}

// dispatch sends a message over one connection and records the start and the result of the Send.
func (w *world) dispatch(from, to int, c *supervisor.PeerConnection, msg *wire.Message) {
	d := w.ledger.begin(msg, dispatch{from: from, to: to, conn: c})
	w.ledger.end(d, c.Send(msg))
}

// burst posts messages over one connection: those that wait together share records.
func (w *world) burst(from, to int, c *supervisor.PeerConnection, batch []*wire.Message) {
	for _, msg := range batch {
		d := w.ledger.begin(msg, dispatch{from: from, to: to, conn: c})
		w.ledger.end(d, c.Post(msg))
	}
}

func (w *world) stepTell() string {
	a, b, c := w.linked()
	if c == nil {
		return ""
	}
	var batch []*wire.Message
	for range 1 + w.random.IntN(6) {
		batch = append(batch, w.message(a, typeTell, b.id))
	}
	if w.random.IntN(20) == 0 { // around the size limit; Send refuses a larger message
		batch[0].Payload = json.RawMessage(`"` + strings.Repeat("x", 1<<20-700+w.random.IntN(400)) + `"`)
	}
	if w.random.IntN(2) == 0 {
		w.work.Go(func() { w.burst(a.index, b.index, c, batch) })
		return fmt.Sprintf("node %d posts %d %d messages", a.index, b.index, len(batch))
	}
	w.work.Go(func() {
		for _, msg := range batch {
			w.dispatch(a.index, b.index, c, msg)
		}
	})
	return fmt.Sprintf("node %d tells %d %d messages", a.index, b.index, len(batch))
}

func (w *world) stepBroadcast() string {
	a := w.some()
	if !a.up {
		return ""
	}
	msg, t := w.message(a, typeTell, ""), a.transport
	w.work.Go(func() { w.broadcast(a.index, t, msg) })
	return fmt.Sprintf("node %d broadcasts", a.index)
}

// broadcast hands a message to every peer. The result names the failed peers, but never the connections used.
func (w *world) broadcast(from int, t *supervisor.Transport, msg *wire.Message) {
	var all []*dispatch
	for _, n := range w.nodes {
		if n.index != from {
			all = append(all, w.ledger.begin(msg, dispatch{from: from, to: n.index}))
		}
	}
	result := t.Broadcast(msg)
	err := result.Refused
	if err == nil && len(result.Failed) > 0 {
		err = result.Failed[0].Err
	}
	for _, d := range all {
		w.ledger.end(d, err)
	}
}

func (w *world) stepAsk() string {
	a, b, c := w.linked()
	if c == nil {
		return ""
	}
	msg, t := w.message(a, typeAsk, b.id), a.transport
	w.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		d := w.ledger.begin(msg, dispatch{from: a.index, to: b.index})
		reply, err := t.RequestContext(ctx, b.id, msg)
		w.ledger.end(d, err)
		// A Request without an error returns the answer of the requested peer.
		if err == nil && (reply.ReplyTo != msg.ID || reply.From != b.id || reply.Type != typeAnswer) {
			w.fault("node %d: asked %d %s and got %s to %s from %s",
				a.index, b.index, msg.ID, reply.Type, reply.ReplyTo, reply.From)
		}
	})
	return fmt.Sprintf("node %d asks %d", a.index, b.index)
}

// stepAgain sends a copy of an earlier message, from its author or from another node.
func (w *world) stepAgain() string {
	a, b, c := w.linked()
	old := w.ledger.recent(w.random.IntN(30))
	if c == nil || old == nil || old.From == b.id {
		return ""
	}
	w.work.Go(func() { w.dispatch(a.index, b.index, c, old) })
	return fmt.Sprintf("node %d sends %d a copy of a message of node %d", a.index, b.index, w.indexOf(old.From))
}

// stepChatter has two nodes send to each other for 5 s, over their routes at each moment.
func (w *world) stepChatter() string {
	a, b := w.two()
	if !a.up || !b.up {
		return ""
	}
	w.chatter(a, b)
	return fmt.Sprintf("nodes %d and %d chatter", a.index, b.index)
}

func (w *world) chatter(a, b *node) {
	for _, way := range [][2]*node{{a, b}, {b, a}} {
		from, to, t := way[0], way[1], way[0].transport
		w.work.Go(func() {
			for range 25 {
				if c := t.GetConnection(to.id); c != nil {
					msg, err := wire.NewMessage(typeTell, from.id, to.id, "chatter")
					from.must(err)
					msg.Timestamp = from.wall().UTC()
					w.dispatch(from.index, to.index, c, msg)
				}
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
}

// stepFlood sends more bytes than the buffers of a link hold.
func (w *world) stepFlood() string {
	a, b, c := w.linked()
	if c == nil {
		return ""
	}
	for range 4 {
		msg, err := wire.NewMessage(typeTell, a.id, b.id, strings.Repeat("x", 100_000))
		a.must(err)
		msg.Timestamp = a.wall().UTC()
		w.work.Go(func() { w.dispatch(a.index, b.index, c, msg) })
	}
	return fmt.Sprintf("node %d floods %d", a.index, b.index)
}

func (w *world) stepConnect() string {
	a, b := w.two()
	if !a.up {
		return ""
	}
	id := ""
	if w.random.IntN(2) == 0 {
		id = b.id
	}
	w.connect(a, b.address(), id)
	return fmt.Sprintf("node %d connects to %d", a.index, b.index)
}

// connect has a node dial an address, and expects the peer with this ID there; an empty ID accepts any peer.
func (w *world) connect(n *node, address, id string) {
	t := n.transport
	w.work.Go(func() {
		c, err := t.Connect(&supervisor.Peer{Address: address, ID: id})
		// A Connect without an error returns a connection to the named peer.
		if err == nil && id != "" && c.Peer().ID != id {
			w.fault("node %d: connected to %s instead of %s", n.index, c.Peer().ID, id)
		}
	})
}

func (w *world) stepClose() string {
	a, b, c := w.linked()
	if c == nil {
		return ""
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter)) // messages in flight to the closing node are lost
	c.GracefulClose("simulation", wire.DisconnectNormal)
	return fmt.Sprintf("node %d closes its connection to %d", a.index, b.index)
}

// stepStrangers opens connections that stay silent after the upgrade, send garbage, or send nothing at all.
func (w *world) stepStrangers() string {
	n, count, kind := w.some(), 1+w.random.IntN(8), w.random.IntN(3)
	for range count {
		host := w.net.Attach(fmt.Sprintf("10.0.9.%d", w.random.IntN(200)))
		w.work.Go(func() { stranger(host, n.address(), kind) })
	}
	return fmt.Sprintf("%d strangers of kind %d at node %d", count, kind, n.index)
}
