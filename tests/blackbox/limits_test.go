package blackbox

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestStampedeFillsTheSlots makes 100 peers ask for 20 slots at the same moment.
func TestStampedeFillsTheSlots(t *testing.T) {
	const peers, places = 100, 20
	n := start(t, "--max-conns", "20")
	ids := make([]*refpeer.Identity, peers)
	for i := range ids {
		ids[i] = identity(t, "stampede")
	}
	ctx := withTimeout(t)
	gate := make(chan struct{})
	conns, errs := make([]*refpeer.Conn, peers), make([]error, peers)
	var running sync.WaitGroup
	for i := range peers {
		running.Go(func() {
			<-gate
			conns[i], errs[i] = refpeer.Dial(ctx, n.URL(), refpeer.Options{Identity: ids[i]})
		})
	}
	close(gate)
	running.Wait()

	accepted, refused := 0, 0
	for i := range peers {
		var status *refpeer.StatusError
		switch {
		case errs[i] == nil:
			accepted++
			defer conns[i].Close()
		case errors.As(errs[i], &status) && status.Code == http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("peer %d: %v", i, errs[i])
		}
	}
	if accepted != places || refused != peers-places {
		n.Fatalf("%d accepted and %d refused with 503, want %d and %d", accepted, refused, places, peers-places)
	}
	s := n.Status()
	if want := (nodetest.Connections{Established: places, Max: places}); s.Connections != want {
		t.Errorf("connections %+v, want %+v", s.Connections, want)
	}
	if got := s.Counters["connectionsRefused"]; got != peers-places {
		t.Errorf("connectionsRefused is %v, want %d", got, peers-places)
	}
	if got := s.Counters["handshakesAccepted"]; got != places {
		t.Errorf("handshakesAccepted is %v, want %d", got, places)
	}

	// A free slot can be used again.
	for i := range peers {
		if conns[i] != nil {
			conns[i].Close()
			n.Await("peer_down", "peer", ids[i].ID)
			break
		}
	}
	n.AwaitStatus("a free place", func(s nodetest.Status) bool { return s.Connections.Established == places-1 })
	dialed(n, refpeer.Options{}).prove()
}

// flood sends numbered messages that it has sealed before, so that sending is quick.
func flood(r *reference, count int) {
	r.n.t.Helper()
	frames := make([][]byte, count)
	for i := range frames {
		text := mustJSON(r.n.t, r.envelope("flood", i))
		frame, err := refpeer.Seal(text, r.Password())
		if err != nil {
			r.n.t.Fatal(err)
		}
		frames[i] = frame
	}
	for _, frame := range frames {
		if err := r.SendRaw(frame); err != nil {
			r.n.Fatalf("reference peer cannot send: %v", err)
		}
	}
}

// TestLimiterDropsAboveTheBurst empties a bucket with almost no refill: exact counts.
func TestLimiterDropsAboveTheBurst(t *testing.T) {
	t.Parallel()
	n := start(t, "--rate-refill", "0.001")
	r := dialed(n, refpeer.Options{})
	flood(r, 150)
	n.AwaitCounter("messagesRateLimited", 50)
	expectFlood(t, n, 100)
	r.requireOpen()

	// A reconnect gets no fresh bucket.
	r.Close()
	n.Await("peer_down", "peer", r.self.ID)
	flood(dialed(n, refpeer.Options{Identity: r.self}), 10)
	n.AwaitCounter("messagesRateLimited", 59) // the first frame, which is the proof, needs no token
	expectFloods(t, n, 100, 1)
}

// TestLimiterDefaultsPassTheBurst sends 150 messages at the default limits: the burst passes, and the dropped messages
// are counted.
func TestLimiterDefaultsPassTheBurst(t *testing.T) {
	t.Parallel()
	n := start(t)
	flood(dialed(n, refpeer.Options{}), 150)
	arrived := 0
	s := n.AwaitStatus("all 150 messages", func(s nodetest.Status) bool {
		arrived = len(n.Messages("flood"))
		return arrived+int(s.Counters["messagesRateLimited"]) >= 150
	})
	limited := int(s.Counters["messagesRateLimited"])
	if arrived < 100 || limited == 0 || arrived+limited != 150 {
		n.Fatalf("%d arrived and %d were limited, want at least 100, some, and 150 together", arrived, limited)
	}
}

// TestLimiterOffDropsNothing sends far more than the default burst.
func TestLimiterOffDropsNothing(t *testing.T) {
	t.Parallel()
	n := start(t, "--rate-refill", "0")
	r := dialed(n, refpeer.Options{})
	flood(r, 500)
	r.prove()
	expectFlood(t, n, 500)
	if got := n.Status().Counters["messagesRateLimited"]; got != 0 {
		t.Errorf("messagesRateLimited is %v, want 0", got)
	}
}

// expectFlood requires that exactly the first count messages of a flood arrived, in order.
func expectFlood(t *testing.T, n *node, count int) {
	t.Helper()
	expectFloods(t, n, count)
}

// expectFloods requires that of several floods, one after the other, exactly the first counts messages arrived.
func expectFloods(t *testing.T, n *node, counts ...int) {
	t.Helper()
	var want []int
	for _, count := range counts {
		for i := range count {
			want = append(want, i)
		}
	}
	// The counters change before the events, which pass the handler and a pipe.
	n.AwaitStatus("the flood's messages", func(nodetest.Status) bool { return len(n.Messages("flood")) >= len(want) })
	got := n.Messages("flood")
	if len(got) != len(want) {
		n.Fatalf("%d messages of the flood arrived, want %d", len(got), len(want))
	}
	for i, m := range got {
		if string(m.Payload) != mustJSON(t, want[i]) {
			t.Fatalf("message %d of the flood is number %s", i, m.Payload)
		}
	}
}

func TestForeignOriginsAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	tests := []struct {
		origin, host string
		allowed      bool
	}{
		{origin: "", allowed: true},
		{origin: "http://localhost", allowed: true},
		{origin: "http://localhost:3000", allowed: true},
		{origin: "https://127.0.0.1:8443", allowed: true},
		{origin: "http://[::1]:1", allowed: true},
		{origin: "http://[::1]", allowed: true},
		{origin: "http://evil.example"},
		{origin: "http://localhost.evil.example"},
		{origin: "http://127.0.0.1.evil.example"},
		{origin: "http://evil.example:9091/localhost"},
		{origin: "http://localhost@evil.example"},
		{origin: "http://192.168.0.1"},
		{origin: "null"},
		{origin: "http://node.example:9091", host: "node.example:9091"}, // the same host is how DNS rebinding looks
	}
	refused := 0
	for _, tt := range tests {
		header := http.Header{}
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		if tt.host != "" {
			header.Set("Host", tt.host)
		}
		conn, err := refpeer.Dial(withTimeout(t), n.URL(), refpeer.Options{Identity: identity(t, "browser"), Header: header})
		if err == nil {
			conn.Close()
		}
		var status *refpeer.StatusError
		if tt.allowed && err != nil {
			t.Errorf("origin %q: %v, want it allowed", tt.origin, err)
		}
		if !tt.allowed {
			refused++
			if !errors.As(err, &status) || status.Code != http.StatusForbidden {
				t.Errorf("origin %q, host %q: %v, want HTTP status 403", tt.origin, tt.host, err)
			}
		}
	}
	if got := n.Status().Counters["originsRefused"]; got != float64(refused) {
		t.Errorf("originsRefused is %v, want %d", got, refused)
	}
}

// TestMessageSizeIsLimited sends one message below the limit and one a byte over it.
func TestMessageSizeIsLimited(t *testing.T) {
	t.Parallel()
	n := start(t, "--max-message-size", "64KiB")
	r := dialed(n, refpeer.Options{})
	r.prove()
	r.say("chat", strings.Repeat("x", 60<<10))
	if err := r.SendRaw(make([]byte, 64<<10+1)); err != nil {
		n.Fatalf("reference peer cannot send: %v", err)
	}
	r.awaitEnd()
	if !websocket.IsCloseError(r.Err(), websocket.CloseMessageTooBig) {
		t.Errorf("the connection ended with %v, want WebSocket status 1009", r.Err())
	}
	n.Await("peer_down", "peer", r.self.ID, "remote", false)
	if got := n.Messages("chat"); len(got) != 1 {
		t.Errorf("%d messages before the large one arrived, want 1", len(got))
	}
}
