package blackbox

import (
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// keepsOne returns the options of a peer that announces that it keeps one connection. The node has the smaller ID, so
// it closes the duplicate at once and does not wait for the peer.
func keepsOne(n *node) refpeer.Options {
	return refpeer.Options{Identity: laterThan(n), Pong: true, Features: []string{"single-connection"}}
}

// laterThan makes an identity whose ID is greater than the node's.
func laterThan(n *node) *refpeer.Identity {
	n.t.Helper()
	for {
		if id := identity(n.t, "later"); id.ID > n.ID() {
			return id
		}
	}
}

// twice connects a peer two times.
func twice(n *node, o refpeer.Options) (first, second *reference) {
	n.t.Helper()
	first = dialed(n, o)
	first.prove()
	conn, err := refpeer.Dial(withTimeout(n.t), n.URL(), o)
	if err != nil {
		n.Fatalf("a second connection of the same peer: %v", err)
	}
	n.t.Cleanup(conn.Close)
	return first, &reference{conn, o.Identity, n}
}

// TestDeployedPeerKeepsBothConnections: a deployed node forgets us when any connection closes, so none is closed. The
// node closes the duplicate of a peer that connected later and announces that it keeps one: then the time is over.
func TestDeployedPeerKeepsBothConnections(t *testing.T) {
	t.Parallel()
	n := start(t)
	one, two := twice(n, refpeer.Options{Identity: laterThan(n), Pong: true})
	talk := func() {
		for i, r := range []*reference{one, two} {
			n.Await("message", "message.id", r.say("chat", i), "peer", r.self.ID)
		}
	}
	talk()
	twice(n, keepsOne(n))
	n.AwaitStatus("one connection less", func(s nodetest.Status) bool { return s.Connections.Established == 3 })
	talk()
	one.requireOpen()
	two.requireOpen()
	if got := n.Status().Connections; got.Established != 3 || got.Pending != 0 { // a draining connection is pending
		t.Errorf("connections %+v, want 3 established", got)
	}
	if got := n.Count("peer_down"); got != 0 {
		t.Errorf("%d peers went down, want none", got)
	}
	if got := n.peers(); len(got) != 2 {
		t.Errorf("peers lists %+v, want two peers", got)
	}
}

// TestDuplicateOfAPeerThatKeepsOneIsClosed: the peer announces it, so one of the two is closed.
func TestDuplicateOfAPeerThatKeepsOneIsClosed(t *testing.T) {
	t.Parallel()
	n := start(t)
	one, two := twice(n, keepsOne(n))
	n.AwaitStatus("one connection", func(s nodetest.Status) bool { return s.Connections.Established == 1 })
	left := two
	select {
	case <-one.Done():
	case <-two.Done():
		left = one
	case <-withTimeout(t).Done():
		n.Fatalf("neither connection was closed")
	}
	n.Await("message", "message.id", left.say("chat", "over the one that is left"), "peer", left.self.ID)
	left.requireOpen()
}
