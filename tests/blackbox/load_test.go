package blackbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

const (
	loadCount = 10_000
	loadSize  = 1 << 10
)

// requireLoad waits for the last of loadCount numbered messages and requires all of them, in order, once.
func requireLoad(t *testing.T, n *node, from string) {
	t.Helper()
	n.Await("message", "message.payload.n", float64(loadCount-1), "peer", from)
	got := n.Messages("load")
	if len(got) != loadCount {
		n.Fatalf("%d messages arrived, want %d", len(got), loadCount)
	}
	for i, m := range got {
		var l load
		if err := json.Unmarshal(m.Payload, &l); err != nil || l.N != i || len(l.Fill) != loadSize {
			t.Fatalf("message %d is number %d with %d bytes (%v)", i, l.N, len(l.Fill), err)
		}
	}
	c := n.Status().Counters
	for _, name := range []string{
		"messagesDuplicate", "messagesStale", "messagesRateLimited", "framesMalformed",
		"slowPeersClosed",
	} {
		if c[name] != 0 {
			t.Errorf("%s is %v, want 0", name, c[name])
		}
	}
	if c["messagesReceived"] < loadCount || c["bytesReceived"] < loadCount*loadSize {
		t.Errorf("messagesReceived %v and bytesReceived %v, want at least %d and %d",
			c["messagesReceived"], c["bytesReceived"], loadCount, loadCount*loadSize)
	}
}

func TestLoadFromReferenceArrives(t *testing.T) {
	n := start(t, "--rate-refill", "0")
	r := dialed(n, refpeer.Options{})
	fill := strings.Repeat("x", loadSize)
	for i := range loadCount {
		r.say("load", load{N: i, Fill: fill})
	}
	requireLoad(t, n, r.self.ID)
}

func TestLoadBetweenNodesArrives(t *testing.T) {
	a := start(t, "--stdin", "--rate-refill", "0")
	b := start(t, "--rate-refill", "0", "--peer", a.Address())
	meet(a, b)
	a.WriteLines(numbered(loadCount, loadSize, b.ID())...)
	requireLoad(t, b, a.ID())
}

// TestSlowPeerDelaysNoOther has one of 21 peers stop reading. The write timeout is far longer than patience, so that a
// node that waited for the slow peer would fail the test. Two of the others open and compare their messages; the rest
// count frames of the size of a message.
func TestSlowPeerDelaysNoOther(t *testing.T) {
	const readers, opening, size, batch, most = 20, 2, 64 << 10, 8, 512
	n := start(t, "--stdin", "--pace", "off", "--write-timeout", "5m", "--ping-interval", "5m")
	slow := dialed(n, refpeer.Options{Identity: identity(t, "slow"), Stall: true, RecvBuffer: 4 << 10})
	slow.prove()
	quick := make([]*reference, readers)
	for i := range quick {
		quick[i] = dialed(n, refpeer.Options{
			Identity: identity(t, fmt.Sprintf("reader-%d", i)), CountOnly: i >= opening,
			CountSize: size,
		})
		quick[i].prove()
	}

	lines := numbered(most, size, "")
	sent := 0
	for closed := false; !closed && sent < most; sent += batch {
		n.WriteLines(lines[sent : sent+batch]...)
		requireBatch(t, n, quick[:opening], quick[opening:], sent, batch, size)
		closed = n.Count("peer_down", "peer", slow.self.ID) > 0
	}
	down := n.Await("peer_down", "peer", slow.self.ID)
	if down.Fields["remote"] != false {
		t.Errorf("the slow peer ended with %s, want remote false", down.Line)
	}
	t.Logf("closed as slow after at most %d messages of %d bytes", sent, size)
	s := n.Status()
	if s.Counters["slowPeersClosed"] != 1 || s.Connections.Established != readers {
		t.Errorf("slowPeersClosed %v and %d connections, want 1 and %d", s.Counters["slowPeersClosed"],
			s.Connections.Established, readers)
	}
	for _, r := range quick {
		r.requireOpen()
	}
}

// requireBatch requires that all peers get count messages from number first on: the opening peers in order, the
// counting peers that number of them.
func requireBatch(t *testing.T, n *node, opening, counting []*reference, first, count, size int) {
	t.Helper()
	var receiving sync.WaitGroup
	for _, r := range opening {
		receiving.Go(func() {
			for i := first; i < first+count; i++ {
				if err := receiveNumber(t, r, i, size); err != nil {
					t.Errorf("%s, message %d: %v", r.self.Name, i, err)
					return
				}
			}
		})
	}
	want := first + count
	for _, r := range counting {
		if got, err := r.AwaitFrames(withTimeout(t), want); err != nil || got != want {
			t.Errorf("%s has %d frames, want %d (%v)", r.self.Name, got, want, err)
		}
	}
	receiving.Wait()
	if t.Failed() {
		n.Fatalf("a peer that reads missed something")
	}
}

// receiveNumber receives one numbered message. It may run in any goroutine.
func receiveNumber(t *testing.T, r *reference, number, size int) error {
	got, err := r.RecvType(withTimeout(t), "load")
	if err != nil {
		return err
	}
	var l load
	if err := json.Unmarshal(got.Payload, &l); err != nil {
		return err
	}
	if l.N != number || len(l.Fill) != size {
		return fmt.Errorf("got number %d with %d bytes", l.N, len(l.Fill))
	}
	return nil
}
