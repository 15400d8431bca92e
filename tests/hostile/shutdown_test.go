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

// TestSIGTERMUnderLoadSendsAllPeersTheSame stops a node with SIGTERM that 20 peers flood and that broadcasts as fast as
// it can. Each peer gets the same broadcasts, then a disconnect message with code 1004, within the shutdown timeout.
// Two of the peers open their frames, the others count the frames of the size of a broadcast. The timeout is long, so
// that the peers can read all their messages on a loaded machine. The flood ends with the signal: the node reads from a
// closed connection for a few seconds only, and resets that of a flooder which has paused for a second.
func TestSIGTERMUnderLoadSendsAllPeersTheSame(t *testing.T) {
	t.Parallel()
	const peers, opening, before, fill = 20, 2, 100, 500
	const limit = 25 * time.Second
	p := launch(t, nodetest.NewHome(t), "--stdin", "--rate-refill", "0",
		"--shutdown-timeout", limit.String(), "--write-timeout", "1m")
	conns := make([]*refpeer.Conn, peers)
	for i := range conns {
		conns[i] = p.connect(refpeer.Options{
			Late: i < opening, CountOnly: i >= opening, CountSize: fill,
		})
		_, err := conns[i].Send("hello", "", nil) // the proof: only verified peers get broadcasts
		must(t, err)
	}
	p.AwaitCount(peers, "peer_verified")
	var load sync.WaitGroup
	var flooded atomic.Int64
	stop := make(chan struct{})
	for _, c := range conns {
		load.Go(func() { flood(c, 1000, &flooded, stop) })
	}
	var written atomic.Int64
	load.Go(func() {
		for i := 0; ; i++ {
			line := fmt.Sprintf(`{"type":"news","payload":{"n":%d,"fill":%q}}`+"\n", i, strings.Repeat("x", fill))
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
	close(stop)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, p.Stderr())
	}
	took := time.Since(began)
	load.Wait()
	if took > limit+time.Second {
		t.Errorf("it took %v", took)
	}
	counts := make(map[int]int)
	for _, c := range conns[opening:] {
		frames, err := c.AwaitFrames(withTimeout(t), 1<<30)
		if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Errorf("a connection ended with %v, want WebSocket status 1001", err)
		}
		counts[frames]++
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

// flood sends messages with a text of size bytes until the connection ends, or stop is closed, and counts them in sent.
// It seals one message only, because sealing is slow: the node drops the others as duplicates, at the same cost.
func flood(c *refpeer.Conn, size int, sent *atomic.Int64, stop <-chan struct{}) {
	e, err := refpeer.NewEnvelope("flood", "", "", strings.Repeat("x", size))
	if err != nil {
		return
	}
	text, err := json.Marshal(e)
	if err != nil {
		return
	}
	frame, err := refpeer.Seal(string(text), c.Password())
	for err == nil {
		select {
		case <-stop:
			return
		default:
		}
		err = c.SendRaw(frame)
		sent.Add(1)
	}
}

// drain requires numbered broadcasts without a gap from first on, then the disconnect message, and returns their
// number.
func drain(t *testing.T, c *refpeer.Conn, first int) int {
	t.Helper()
	for next := first; ; next++ {
		e, err := c.RecvType(withTimeout(t), "news", refpeer.TypeDisconnect)
		if err != nil {
			t.Errorf("after %d broadcasts no disconnect: %v", next, err)
			return next
		}
		var payload struct{ N, Code int }
		must(t, json.Unmarshal(e.Payload, &payload))
		if e.Type == refpeer.TypeDisconnect {
			if payload.Code != 1004 {
				t.Errorf("the disconnect is %s, want code 1004", e.Payload)
			}
			return next
		}
		if payload.N != next {
			t.Errorf("broadcast %d came as number %d", payload.N, next)
			return next
		}
	}
}
