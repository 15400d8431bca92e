package hostile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

func unlimited(c *supervisor.TransportConfig) { c.RateRefill = 0 }

// TestFloodIsNotDecrypted floods with frames that do not open. Frames without a token count as rate limited, not as
// malformed: they are dropped before decryption. A reconnect as the same peer gets no fresh bucket.
func TestFloodIsNotDecrypted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{
		Config: func(c *supervisor.TransportConfig) { c.RateBurst, c.RateRefill = 20, 0.001 },
	})
	self := identity(t, "flooder")
	h := join(n, refpeer.Options{Identity: self})
	h.say("hello", nil)
	flood := func(h *honest, count, tried, limited int) {
		t.Helper()
		for range count {
			must(t, h.SendRaw([]byte("no frame")))
		}
		n.Poll("the flood to be judged", func() bool { return n.Counter("messagesRateLimited") >= limited })
		if bad, over := n.Counter("framesMalformed"), n.Counter("messagesRateLimited"); bad != tried || over != limited {
			t.Errorf("%d frames were tried and %d dropped before, want %d and %d", bad, over, tried, limited)
		}
	}
	flood(h, 500, 19, 481)
	h.requireOpen()
	h.Close()
	n.AwaitDown(self.ID)
	flood(join(n, refpeer.Options{Identity: self}), 30, 38, 492) // the bucket of unverified connections
	flood(join(n, refpeer.Options{Identity: self}), 30, 40, 520) // is shared by all of them
}

// TestPingFloodIsLimited: WebSocket pings, which are no messages, are answered from a bucket of their own.
func TestPingFloodIsLimited(t *testing.T) {
	t.Parallel()
	const pings = 5000
	n := nodetest.Start(t, nodetest.Options{Config: unlimited})
	s := impostor(t, n.URL(), identity(t, "pinger").Public)
	pongs := 0
	s.SetPongHandler(func(string) error { pongs++; return nil })
	began := time.Now()
	for range pings {
		must(t, s.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(patience)))
	}
	for range 100 { // 100 bad frames end the connection, after all pings
		must(t, s.WriteMessage(websocket.BinaryMessage, []byte("no frame")))
	}
	s.end()
	most := 10 + int(time.Since(began).Seconds()) + 1
	if pongs < 10 || pongs > most {
		t.Errorf("%d pings drew %d pongs, want from 10 to %d", pings, pongs, most)
	}
}

// TestBadFramesInARowEndTheConnection: 99 bad frames are counted, the hundredth ends the connection with a protocol
// error. One good frame in between resets the count.
func TestBadFramesInARowEndTheConnection(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{Config: unlimited})
	h := join(n, refpeer.Options{})
	for range 3 {
		for range 99 {
			must(t, h.SendRaw([]byte("no frame")))
		}
		h.say("hello", nil)
	}
	h.requireOpen()
	for range 100 {
		must(t, h.SendRaw([]byte("no frame")))
	}
	if e := h.next(refpeer.TypeDisconnect); !strings.Contains(string(e.Payload), "1002") {
		t.Errorf("the disconnect is %s, want code 1002", e.Payload)
	}
	h.awaitEnd()
	if !websocket.IsCloseError(h.Err(), websocket.CloseProtocolError) {
		t.Errorf("ended with %v, want WebSocket status 1002", h.Err())
	}
	if down := n.AwaitDown(h.self.ID); down.Code != wire.DisconnectProtocolErr || down.Remote {
		t.Errorf("the node says %+v", down)
	}
	if got := n.Counter("framesMalformed"); got != 397 {
		t.Errorf("framesMalformed is %d, want 397", got)
	}
}

// TestStrangersFillNoBook: the peer book gets verified peers only.
func TestStrangersFillNoBook(t *testing.T) {
	t.Parallel()
	const strangers = 200
	n := nodetest.Start(t, nodetest.Options{})
	for range strangers {
		s := impostor(t, n.URL(), identity(t, "stranger").Public)
		s.Close()
	}
	join(n, refpeer.Options{}).say("hello", nil)
	n.AwaitConnections(1, 0)
	if got := len(n.Book.List()); got != 1 {
		t.Errorf("the peer book holds %d peers after %d strangers and 1 honest peer, want 1", got, strangers)
	}
}

// TestLogIsSampled: each kind of event is logged at most once per second, and the lines and their omitted counts add up
// to the number of events.
func TestLogIsSampled(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{Config: unlimited})
	h := join(n, refpeer.Options{})
	began, sent := time.Now(), 0
	bad := func() {
		must(t, h.SendRaw([]byte("no frame\n\x1b[31mlevel=ERROR msg=forged")))
		if sent++; sent%50 == 0 {
			h.say("hello", nil)
		}
	}
	const kind = "malformed frames dropped"
	const flood = 3000
	for range flood {
		bad()
	}
	n.Poll("a line that counts the flood", func() bool {
		bad()
		h.say("hello", nil) // the node has judged all earlier frames; its log may be a line behind
		lines, omitted := n.Log.Lines(kind)
		if lines+omitted > sent {
			t.Errorf("%d lines say that %d were left out, want %d in all", lines, omitted, sent)
		}
		return lines+omitted > flood
	})
	lines, _ := n.Log.Lines(kind)
	if most := 1 + int(time.Since(began).Seconds()); lines > most {
		t.Errorf("%d lines in %v, want %d at most", lines, time.Since(began), most)
	}
}

// TestLogQuotesStrangers: text of an unverified peer is quoted and truncated in the log.
func TestLogQuotesStrangers(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	who := identity(t, "loud").Public
	who.ID = "\n\x1b[2Jlevel=ERROR msg=forged " + strings.Repeat("x", 4000)
	const strangers = 100
	began := time.Now()
	for range strangers {
		s := knock(t, n.URL())
		s.claim(who, nil)
		if a := s.answer(); a.Accepted {
			t.Fatal("accepted")
		}
		s.Close()
	}
	lines, _ := n.Log.Lines("handshake refused")
	if most := 1 + int(time.Since(began).Seconds()); lines == 0 || lines > most {
		t.Errorf("%d lines for %d strangers in %v, want from 1 to %d", lines, strangers, time.Since(began), most)
	}
	if got := n.Log.LongestLine(); got > 600 {
		t.Errorf("the longest line has %d bytes, want 600 at most", got)
	}
	text := n.Log.String()
	if strings.Contains(text, "\x1b") || slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
		return line != "" && !strings.HasPrefix(line, "time=")
	}) {
		t.Errorf("a stranger's text breaks out of its line:\n%s", text)
	}
	if got := n.Counter("handshakesRejected"); got != strangers {
		t.Errorf("handshakesRejected is %d, want %d", got, strangers)
	}
}
