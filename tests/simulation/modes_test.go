package simulation

import (
	"context"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Session modes of the nodes, and their changes.

// modeSettles is how long a dial or handshake may still use the mode before a change: the handshake timeout.
const modeSettles = 11 * time.Second

// stance is the setting of sessions of a node from a moment on.
type stance struct {
	at   time.Time
	mode supervisor.SessionMode
}

// drawMode returns the session mode of a node: in every fourth mesh that of all nodes is the default.
func (w *world) drawMode() supervisor.SessionMode {
	if w.plain {
		return supervisor.SessionPin
	}
	return []supervisor.SessionMode{
		supervisor.SessionPin, supervisor.SessionPin, supervisor.SessionPin, supervisor.SessionPrefer,
		supervisor.SessionRequire, supervisor.SessionOff,
	}[w.random.IntN(6)]
}

// setMode records the mode of a node from now on. The connections that exist by then keep their format.
func (n *node) setMode(mode supervisor.SessionMode) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.stances = append(n.stances, stance{time.Now(), mode})
	n.w.unsettled = time.Now().Add(modeSettles)
}

// mode returns the present mode. The caller holds w.mu or is the driver.
func (n *node) mode() supervisor.SessionMode { return n.stances[len(n.stances)-1].mode }

// modeAt returns the mode that a connection made at a time was negotiated with. sure is false near a change.
func (n *node) modeAt(at time.Time) (mode supervisor.SessionMode, sure bool) {
	sure = true
	for i, s := range n.stances {
		if i > 0 && s.at.Sub(at).Abs() < modeSettles {
			sure = false
		}
		if i == 0 || !s.at.After(at) {
			mode = s.mode
		}
	}
	return mode, sure
}

// common returns the format that two nodes with these modes use, and whether they connect at all.
func common(a, b supervisor.SessionMode) (session, connect bool) {
	session = a != supervisor.SessionOff && b != supervisor.SessionOff
	return session, session || a != supervisor.SessionRequire && b != supervisor.SessionRequire
}

// compatible reports whether two nodes connect by their present modes.
func (w *world) compatible(a, b *node) bool {
	_, connect := common(a.mode(), b.mode())
	return connect
}

// stepUpgrade restarts a node with another session mode and the same data.
func (w *world) stepUpgrade() string {
	n := w.some()
	if !n.up || w.plain {
		return ""
	}
	how := "stops"
	if w.random.IntN(3) == 0 {
		n.crash(w.random.IntN(2) == 0, true)
		how = "crashes"
	} else {
		n.stop()
	}
	before := n.mode()
	n.setMode(w.drawMode())
	n.start()
	return fmt.Sprintf("node %d %s and starts again, sessions %v instead of %v", n.index, how, n.mode(), before)
}

// stepReconfigure changes the session mode of a running node.
func (w *world) stepReconfigure() string {
	n := w.some()
	if !n.up || w.plain || n.fuse.Load() != 0 {
		return ""
	}
	before, next := n.mode(), w.drawMode()
	// SessionRequire closes the connections without a session.
	w.upsetAll(n.index, time.Now().Add(calmAfter))
	n.setMode(next)
	n.config.Session = next
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _, err := n.transport.Reconfigure(ctx, n.config)
	n.must(err)
	return fmt.Sprintf("node %d changes sessions from %v to %v", n.index, before, next)
}

// stepHours lets 1 to 3 hours pass, so that each session changes its keys.
func (w *world) stepHours() string {
	hours := 1 + w.random.IntN(3)
	w.pass(time.Duration(hours)*time.Hour + time.Duration(w.random.IntN(120))*time.Second)
	return fmt.Sprintf("%d hours pass", hours)
}

// settle remembers which connections may have been negotiated before the last change of a mode.
func (w *world) settle() {
	for _, n := range w.nodes {
		if n.up {
			w.see(n, n.newest())
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unsettled.IsZero() || time.Now().Before(w.unsettled) {
		return
	}
	w.unsettled = time.Time{}
	for _, n := range w.nodes {
		n.floor = n.highest
	}
}

// newest returns the highest number of the node's open connections.
func (n *node) newest() (highest uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	peers, err := n.transport.Peers(ctx)
	n.must(err)
	for _, p := range peers {
		highest = max(highest, p.Connection)
		for _, c := range p.Connections {
			highest = max(highest, c.Connection)
		}
	}
	return highest
}

// see records the number of a connection of the present incarnation.
func (w *world) see(n *node, number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n.highest = max(n.highest, number)
}

// checkFormat checks a delivery: two nodes that have sessions switched on exchange no message over a new SMSG
// connection. Only a relay could have led them there.
func (w *world) checkFormat(n *node, life int, c *supervisor.PeerConnection) {
	peer := w.nodes[w.indexOf(c.Peer().ID)]
	w.see(n, c.Number())
	w.mu.Lock()
	session, _ := common(n.mode(), peer.mode())
	session = session && !(peer.rolledBack && c.Strength() == supervisor.Unmarked)
	judged := w.unsettled.IsZero() && life == n.life && c.Number() > n.floor
	w.mu.Unlock()
	if session && judged && !c.Format().Session {
		w.fault("node %d: a message of %d came over SMSG although both have sessions", n.index, peer.index)
	}
}
