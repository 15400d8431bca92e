package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

const modern = "rate/100/50" // a feature of releases that bind

// off returns a message with a shifted timestamp.
func (p *remote) off(kind wire.MessageType, by time.Duration) *wire.Message {
	msg := p.message(kind, nil)
	msg.Timestamp = msg.Timestamp.Add(by)
	return msg
}

// A bound first frame verifies the peer, for any clock and any content.
func TestBoundFrameProvesAcrossAnySkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		p.shakeWith(modern)
		p.bind(p.ownBind)
		p.sendFrame(p.frame(p.off("stats", -100*time.Hour)))
		if got := r.strengths(); !slices.Equal(got, []Strength{Bound}) {
			t.Errorf("proofs %v, want one of strength bound", got)
		}
		r.want(map[Counter]uint64{MessagesStale: 1, MessagesReceived: 0, DowngradesRefused: 0})
		ping := p.off(wire.MsgPing, -100*time.Hour)
		p.sendFrame(p.frame(ping))
		if pongs := p.got(wire.MsgPong); len(pongs) != 1 || pongs[0].ReplyTo != ping.ID {
			t.Errorf("%d pongs to a stale ping of a bound peer, want 1", len(pongs))
		}
	})
}

// Unmarked evidence: a stale ping does not verify; a pong to our own ping does, for any clock.
func TestUnmarkedProofNeedsFreshnessOrOurPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		p.mute = true
		p.shake()
		p.sendFrame(p.frame(p.off(wire.MsgPing, -time.Hour)))
		stray := p.off(wire.MsgPong, -time.Hour)
		stray.ReplyTo = "no ping of ours"
		p.sendFrame(p.frame(stray))
		time.Sleep(2 * time.Second)
		pings := p.got(wire.MsgPing)
		if len(pings) != 1 || len(p.got(wire.MsgPong)) != 0 || len(r.strengths()) != 0 {
			t.Fatalf("%d pings, %d pongs, proofs %v; want 1, 0 and none", len(pings), len(p.got(wire.MsgPong)), r.strengths())
		}
		pong := p.off(wire.MsgPong, -time.Hour)
		pong.ReplyTo = pings[0].ID
		p.sendFrame(p.frame(pong))
		if got := r.strengths(); !slices.Equal(got, []Strength{Unmarked}) {
			t.Errorf("proofs %v, want one of strength unmarked", got)
		}
		r.want(map[Counter]uint64{MessagesStale: 3})
	})
}

// A duplicate ping is answered like a fresh one, so that the peer cannot observe the dedup set.
func TestDuplicatePingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openBound(modern)
		ping := p.message(wire.MsgPing, wire.PingPayload{SentAt: 7})
		for range 3 {
			p.sendFrame(p.frame(ping))
		}
		pongs := p.got(wire.MsgPong)
		if len(pongs) != 3 || string(pongs[0].Payload) != string(pongs[2].Payload) {
			t.Errorf("%d pongs to a ping sent three times, want 3 alike", len(pongs))
		}
		r.want(map[Counter]uint64{MessagesDuplicate: 2})
	})
}

// Relayed pings, pongs and disconnects are ignored: they are between neighbours only.
func TestRelayedTransportMessagesAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openBound(modern)
		received := r.node.Counters.Get(MessagesReceived)
		for i, kind := range []wire.MessageType{wire.MsgPing, wire.MsgPong, wire.MsgDisconnect} {
			for _, skew := range []time.Duration{0, -time.Hour} {
				msg := p.off(kind, skew)
				msg.From = newKeys(t, "elsewhere").Identity().ID
				p.sendFrame(p.frame(msg))
			}
			r.want(map[Counter]uint64{MessagesRefused: uint64(2 * (i + 1)), MessagesReceived: received, MessagesStale: 0})
		}
		if len(p.got(wire.MsgPong)) != 0 || len(reportsOf[*Ended](r)) != 0 {
			t.Errorf("%d pongs, ended %v; want none", len(p.got(wire.MsgPong)), reportsOf[*Ended](r))
		}
	})
}

// An unverified connection ends at a fixed time that no frame extends, with status 1002 and without a frame.
func TestUnverifiedConnectionEndsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		features []string
		known    bool // the registry knows that the peer announces features
		after    time.Duration
		pings    int
	}{
		"announces a feature":                     {[]string{modern}, false, 10 * time.Second, 0},
		"announces nothing":                       {nil, false, 40 * time.Second, 2},
		"announces nothing, is known to announce": {nil, true, 40 * time.Second, 0},
		"announces one that older releases know":  {[]string{"single-connection"}, false, 10 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, unlimited)
				r.parent.quiet = c.known
				p := r.connect()
				p.mute = true
				p.shakeWith(c.features...)
				start := time.Now()
				for time.Since(start) < c.after-time.Second {
					p.sendFrame([]byte("noise"))
					p.sendFrame(p.ownOfNode()) // a frame of the node's, sent back
					_ = p.ws.Write(t.Context(), websocket.MessageText, []byte("{}"))
					time.Sleep(time.Second)
				}
				time.Sleep(c.after - time.Since(start) - time.Nanosecond)
				if len(reportsOf[*Ended](r)) != 0 {
					t.Fatalf("ended before %v", c.after)
				}
				time.Sleep(time.Nanosecond)
				if end := r.ended(); end.Code != wire.DisconnectProtocolErr || end.Reason != reasonUnverified {
					t.Errorf("ended with %+v", end)
				}
				p.pump.Wait()
				if status := websocket.CloseStatus(p.closed); status != websocket.StatusProtocolError {
					t.Errorf("closed with %v, want 1002", p.closed)
				}
				if heard := len(p.heard); heard != c.pings || len(p.got(wire.MsgPing)) != c.pings {
					t.Errorf("%d frames, %d pings; want %d pings and no other frame", heard, len(p.got(wire.MsgPing)), c.pings)
				}
				r.want(map[Counter]uint64{PeersTimedOut: 1, DowngradesRefused: 0})
			})
		})
	}
}

// ownOfNode returns a frame that the node sealed for this connection.
func (p *remote) ownOfNode() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codec.end = wire.NewSealedEnd(p.nodeBind[:])
	return p.seal(p.message("stats", nil))
}

// A frame without the required bind, or with the bind of another connection, closes the connection at once.
func TestForeignFrameEndsTheConnection(t *testing.T) {
	elsewhere := crypto.NewBind(crypto.Initiator, []byte("another"), []byte("connection"))
	for name, c := range map[string]struct {
		features []string
		bound    bool         // one bound frame goes first
		then     *crypto.Bind // nil: none
		verified bool         // the peer is told why
	}{
		"unmarked after a bound one":               {nil, true, nil, true},
		"unmarked after a bound one, announced":    {[]string{modern}, true, nil, true},
		"unmarked first, although announced":       {[]string{modern}, false, nil, false},
		"of another connection first":              {[]string{modern}, false, &elsewhere, false},
		"of another connection, nothing announced": {nil, false, &elsewhere, false},
		"of another connection after a bound one":  {nil, true, &elsewhere, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.connect()
				p.shakeWith(c.features...)
				if c.bound {
					p.bind(p.ownBind)
					p.send("hello", nil)
					synctest.Wait()
				}
				if p.bind(crypto.Bind{}); c.then != nil { // zero: none
					p.bind(*c.then)
				}
				p.send("stats", nil)
				time.Sleep(6 * time.Second) // the linger
				if !r.stopped() {
					t.Fatal("the connection stands")
				}
				p.pump.Wait()
				if status := websocket.CloseStatus(p.closed); status != websocket.StatusProtocolError {
					t.Errorf("closed with %v, want 1002", p.closed)
				}
				if got := p.ids(); c.verified != slices.Contains(got, "disconnect") {
					t.Errorf("heard %v, a disconnect is due: %v", got, c.verified)
				}
				if len(reportsOf[*Foreign](r)) != 1 || len(r.delivered("stats")) != 0 || len(r.dedup.ids) > 1 {
					t.Errorf("%d reports, delivered %v, %d ids entered",
						len(reportsOf[*Foreign](r)), r.delivered("stats"), len(r.dedup.ids))
				}
				r.want(map[Counter]uint64{DowngradesRefused: 1, FramesMalformed: 0})
			})
		})
	}
}
