package blackbox

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// wantKeys requires that an event has these keys and no others, beside event, time and the optional key.
func (e event) wantKeys(t *testing.T, optional string, keys ...string) {
	t.Helper()
	got := slices.DeleteFunc(slices.Sorted(maps.Keys(e.fields)), func(key string) bool {
		return key == "event" || key == "time" || key == optional
	})
	if want := slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		t.Errorf("the keys of %s are %q, want %q: %s", e.kind, got, want, e.line)
	}
}

// number requires that a key of an event is a whole number of 1 or more, and returns it.
func (e event) number(t *testing.T, key string) uint64 {
	t.Helper()
	f := e.num(key)
	if f < 1 || f != float64(uint64(f)) {
		t.Errorf("%s of %s is %v, want a whole number from 1: %s", key, e.kind, e.fields[key], e.line)
	}
	return uint64(f)
}

// TestDowngradeRefusedNamesTheClaim: a stranger that claims a peer sends a frame which the peer sealed for its own
// connection.
func TestDowngradeRefusedNamesTheClaim(t *testing.T) {
	t.Parallel()
	a, b, r := throughRelay(t, 1, nil)
	meet(b, a)
	recorded := r.link().dialer.recorded() // frames of a for b
	stranger := claim(t, b, a, modernFeatures)
	go stranger.read(func(int, []byte) {})
	claimed := b.listing(a.id()).Connections[1].Connection
	stranger.write(websocket.BinaryMessage, recorded[0])
	e := b.await("downgrade_refused", "peer", a.id())
	e.wantKeys(t, "omitted", "peer", "address", "connection")
	if got := e.number(t, "connection"); got != claimed || e.str("address") != stranger.ws.LocalAddr().String() {
		t.Errorf("reported as connection %d, want %d from %s: %s", got, claimed, stranger.ws.LocalAddr(), e.line)
	}
	if stranger.status(t); b.count("peer_down") != 0 || b.count("downgrade_refused") != 1 {
		t.Errorf("%d peer_down and %d downgrade_refused, want none and 1", b.count("peer_down"), b.count("downgrade_refused"))
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

// TestDroppedIsReportedOncePerSecondAndPeer: a peer floods over several connections in a row. The events name it and the
// counter, their counts add up, and their number is limited by time, not by connections.
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
		n.await("message", "message.id", proof)
		r.Close()
	}
	n.awaitStatus("the end of all connections", func(s status) bool {
		return s.Connections.Established+s.Connections.Pending == 0
	})
	total := n.status().Counters["messagesRateLimited"]
	n.awaitSum("dropped", "count", total, "peer", o.Identity.ID, "reason", "messagesRateLimited")
	elapsed := time.Since(began)
	if got, most := n.count("dropped"), 1+int(elapsed/time.Second); got < 2 || got > most {
		t.Errorf("%d events in %v, want 2 to %d", got, elapsed, most)
	}
	for _, e := range n.all() {
		if e.kind == "dropped" {
			e.wantKeys(t, "", "peer", "reason", "count")
			e.number(t, "count")
		}
	}
}

// awaitSum waits until a number of the events of a kind adds up to a value, and fails when it has passed it.
func (n *node) awaitSum(kind, key string, want float64, pairs ...any) {
	n.t.Helper()
	for mark, sum := 0, 0.0; sum < want; {
		e := n.awaitAfter(mark, kind, pairs...)
		all := n.all()
		mark = 1 + slices.IndexFunc(all, func(other event) bool { return other.line == e.line })
		if sum += e.num(key); sum > want {
			n.fatalf("%s of %s adds up to %v, want %v", key, kind, sum, want)
		}
	}
}
