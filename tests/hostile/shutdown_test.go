package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestSIGTERMUnderLoad: 20 peers flood the node, which broadcasts as fast as it can, when it is told to stop. Each peer
// gets all broadcasts, the same ones as the others, then a disconnect message with code 1004, within the deadline. Two of
// the peers open what they get, for the others each frame counts.
func TestSIGTERMUnderLoad(t *testing.T) {
	t.Parallel()
	const peers, opening, before = 20, 2, 100
	p := launch(t, nodetest.NewHome(t), "--stdin", "--rate-refill", "0")
	conns := make([]*refpeer.Conn, peers)
	for i := range conns {
		conns[i] = p.connect(refpeer.Options{Late: i < opening, CountOnly: i >= opening})
		_, err := conns[i].Send("hello", "", nil) // the proof: without it nothing is sent to it
		must(t, err)
	}
	p.AwaitCount(peers, "peer_verified")
	var load sync.WaitGroup
	for _, c := range conns {
		load.Go(func() { flood(c) })
	}
	var written atomic.Int64
	load.Go(func() {
		for i := 0; ; i++ {
			line := fmt.Sprintf(`{"type":"news","payload":{"n":%d,"fill":%q}}`+"\n", i, strings.Repeat("x", 500))
			if _, err := io.WriteString(p.Stdin, line); err != nil {
				return
			}
			written.Add(1)
		}
	})
	for range before {
		if _, err := conns[0].RecvType(withTimeout(t), "news"); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	p.Signal(syscall.SIGTERM)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, p.Stderr())
	}
	took := time.Since(began)
	load.Wait()
	if took > 6*time.Second { // the deadline of the goodbyes, and a second
		t.Errorf("it took %v", took)
	}
	counts := make(map[int]int)
	for _, c := range conns[opening:] {
		frames, err := c.AwaitFrames(withTimeout(t), 1<<30)
		if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Errorf("a connection ended with %v, want WebSocket status 1001", err)
		}
		counts[frames-1]++ // the goodbye; a peer that has proven itself gets no first ping
	}
	for i, c := range conns[:opening] {
		first := 0
		if i == 0 {
			first = before
		}
		counts[drain(t, c, first)]++
	}
	t.Logf("%v; broadcasts at the end: %v (peers by number), %d lines written", took, counts, written.Load())
	if len(counts) != 1 {
		t.Errorf("the peers got different numbers of broadcasts: %v", counts)
	}
}

// flood sends until the connection ends. Sealing is the slow part, so it is done once: what comes after the first is
// dropped as a duplicate, which costs the node the same.
func flood(c *refpeer.Conn) {
	e, err := refpeer.NewEnvelope("flood", "", "", strings.Repeat("x", 1000))
	if err != nil {
		return
	}
	text, err := json.Marshal(e)
	if err != nil {
		return
	}
	frame, err := refpeer.Seal(string(text), c.Password())
	for err == nil {
		err = c.SendRaw(frame)
	}
}

// drain requires numbered broadcasts without a gap from first on, then the goodbye, and returns how many there were.
func drain(t *testing.T, c *refpeer.Conn, first int) int {
	t.Helper()
	for next := first; ; next++ {
		e, err := c.RecvType(withTimeout(t), "news", refpeer.TypeDisconnect)
		if err != nil {
			t.Errorf("after %d broadcasts no goodbye: %v", next, err)
			return next
		}
		var payload struct{ N, Code int }
		must(t, json.Unmarshal(e.Payload, &payload))
		if e.Type == refpeer.TypeDisconnect {
			if payload.Code != 1004 {
				t.Errorf("the goodbye is %s, want code 1004", e.Payload)
			}
			return next
		}
		if payload.N != next {
			t.Errorf("broadcast %d came as number %d", payload.N, next)
			return next
		}
	}
}
