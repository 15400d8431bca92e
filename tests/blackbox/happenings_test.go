package blackbox

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestDowngradeRefusedNamesTheClaim: a stranger that claims a peer sends a frame which the peer sealed for its own
// connection.
func TestDowngradeRefusedNamesTheClaim(t *testing.T) {
	t.Parallel()
	a, b, r := throughRelay(t, 1, nil)
	meet(b, a)
	recorded := r.link().dialer.recorded() // frames of a for b
	stranger := claim(t, b, a, announce(modernFeatures))
	go stranger.read(func(int, []byte) {})
	claimed := b.listing(a.ID()).Connections[1].Connection
	stranger.write(websocket.BinaryMessage, recorded[0])
	e := b.Await("downgrade_refused", "peer", a.ID())
	e.WantKeys(t, "omitted", "peer", "address", "connection")
	if got := e.Number(t, "connection"); got != claimed || e.Str("address") != stranger.ws.LocalAddr().String() {
		t.Errorf("reported as connection %d, want %d from %s: %s", got, claimed, stranger.ws.LocalAddr(), e.Line)
	}
	if stranger.status(t); b.Count("peer_down") != 0 || b.Count("downgrade_refused") != 1 {
		t.Errorf("%d peer_down and %d downgrade_refused, want none and 1", b.Count("peer_down"), b.Count("downgrade_refused"))
	}
}

// copyData copies the identity of a home that a node may use.
func copyData(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(from, "data", "identity.json"))
	if err == nil {
		err = os.Mkdir(filepath.Join(to, "data"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(to, "data", "identity.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDroppedIsReportedOncePerSecondAndPeer: a peer floods over several connections in a row. The events name it and
// the counter, their counts add up, and their number is limited by time, not by connections.
func TestDroppedIsReportedOncePerSecondAndPeer(t *testing.T) {
	t.Parallel()
	n := start(t, "--rate-burst", "10", "--rate-refill", "0.01")
	o := refpeer.Options{Identity: identity(t, "flooder"), Pong: true}
	began := time.Now()
	for i := range 10 {
		r := dialed(n, o)
		proof := r.say("hello", i) // passes without a token
		for range 30 {
			r.say("chat", i)
		}
		n.Await("message", "message.id", proof)
		mark := n.Mark()
		r.Close()
		n.AwaitAfter(mark, "peer_down") // else the next connection is a duplicate until its proof, which may be the pong
	}
	n.AwaitStatus("the end of all connections", func(s nodetest.Status) bool {
		return s.Connections.Established+s.Connections.Pending == 0
	})
	total := n.Status().Counters["messagesRateLimited"]
	n.awaitSum("dropped", "count", total, "peer", o.Identity.ID, "reason", "messagesRateLimited")
	elapsed := time.Since(began)
	if got, most := n.Count("dropped"), 1+int(elapsed/time.Second); got < 2 || got > most {
		t.Errorf("%d events in %v, want 2 to %d", got, elapsed, most)
	}
	for _, e := range n.All() {
		if e.Kind == "dropped" {
			e.WantKeys(t, "", "peer", "reason", "count")
			e.Number(t, "count")
		}
	}
}

// awaitSum waits until a number of the events of a kind adds up to a value, and fails when it has passed it.
func (n *node) awaitSum(kind, key string, want float64, pairs ...any) {
	n.t.Helper()
	for mark, sum := 0, 0.0; sum < want; {
		e := n.AwaitAfter(mark, kind, pairs...)
		all := n.All()
		mark = 1 + slices.IndexFunc(all, func(other event) bool { return other.Line == e.Line })
		if sum += e.Num(key); sum > want {
			n.Fatalf("%s of %s adds up to %v, want %v", key, kind, sum, want)
		}
	}
}
