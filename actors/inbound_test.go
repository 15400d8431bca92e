package actors

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// Of 150 messages at once 100 pass, less the two of openVerified. The others are counted and not decrypted.
func TestLimiterRunsBeforeDecryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		time.Sleep(2 * time.Second) // the bucket is full again
		var want []string
		frames := make([][]byte, 150)
		for i := range frames {
			msg := p.message("stats", i)
			frames[i] = p.frame(msg)
			if i < 100 {
				want = append(want, msg.ID)
			}
		}
		for _, frame := range frames[:100] {
			p.sendFrame(frame)
		}
		for range 25 {
			p.sendFrame([]byte("not a frame")) // would be counted as malformed if it were looked at
		}
		for _, frame := range frames[125:] {
			p.sendFrame(frame)
		}
		if got := r.delivered("stats"); !slices.Equal(got, want) {
			t.Errorf("%d delivered, want the first 100 in order", len(got))
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 50, FramesMalformed: 0})
		time.Sleep(time.Second)
		for range 60 {
			p.send("logs", nil)
		}
		if n := len(r.delivered("logs")); n != 50 {
			t.Errorf("%d of 60 delivered a second later, want 50", n)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 60, FramesMalformed: 0, MessagesDuplicate: 0})
	})
}

// A connection uses the limiter that Welcome contains.
func TestConnectionUsesLimiterOfWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.parent.tokens = 3
		p := r.connect()
		p.mute = true
		p.shake()
		for range 10 {
			p.send("stats", nil)
		}
		if n := len(r.delivered("stats")); n != 3 {
			t.Errorf("%d delivered with 3 tokens", n)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 7})
	})
}

func unlimited(l *Limits) { l.RateRefill = 0 }

func TestMalformedFramesInARowEndConnection(t *testing.T) {
	for _, n := range []int{99, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, unlimited)
				p := r.openVerified()
				for round := range 2 {
					for i := range n {
						if i%2 == 0 {
							p.sendFrame([]byte("SMSG"))
						} else {
							p.sendFrame(p.frame(&wire.Message{ID: "", Type: "x"})) // opens, and holds no message
						}
					}
					if n == 99 {
						p.send("good", round) // begins the row anew
					}
				}
				if n == 99 {
					r.want(map[Counter]uint64{FramesMalformed: 198})
					if r.stopped() || len(r.delivered("good")) != 2 {
						t.Errorf("stopped %v, %d good ones delivered", r.stopped(), len(r.delivered("good")))
					}
					return
				}
				payload, status := p.lastMessage()
				if payload.Code != wire.DisconnectProtocolErr || status != websocket.StatusProtocolError {
					t.Errorf("disconnect %+v, status %v; want 1002 and 1002", payload, status)
				}
				r.want(map[Counter]uint64{FramesMalformed: 100})
				if end := r.ended(); end.Code != wire.DisconnectProtocolErr || end.Remote {
					t.Errorf("ended with %+v", end)
				}
			})
		})
	}
}

func TestDropsAreCounted(t *testing.T) {
	cases := []struct {
		name    string
		spoil   func(*rig, *wire.Message)
		counter Counter
	}{
		{"from this node itself", func(r *rig, m *wire.Message) { m.From = r.node.Keys.Identity().ID }, MessagesRefused},
		{
			"stale by a moment", func(_ *rig, m *wire.Message) { m.Timestamp = time.Now().Add(-5*time.Minute - 1) },
			MessagesStale,
		},
		{
			"from the future by a moment", func(_ *rig, m *wire.Message) { m.Timestamp = time.Now().Add(5*time.Minute + 1) },
			MessagesStale,
		},
		{"a handshake", func(_ *rig, m *wire.Message) { m.Type = wire.MsgHandshake }, FramesMalformed},
		{"an ack", func(_ *rig, m *wire.Message) { m.Type = wire.MsgHandshakeAck }, FramesMalformed},
		{"id of 65 bytes", func(_ *rig, m *wire.Message) { m.ID = string(make([]byte, 65)) }, FramesMalformed},
		{"no room in the dedup set", func(r *rig, _ *wire.Message) { r.dedup.full = true }, MessagesRefused},
		{
			"stale by a jump of the clock", func(_ *rig, m *wire.Message) { m.Timestamp = time.Now().Add(-3 * time.Hour) },
			MessagesStale,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openVerified()
				before := r.node.Counters.Get(MessagesReceived)
				msg := p.message("stats", nil)
				c.spoil(r, msg)
				p.sendFrame(p.frame(msg))
				r.want(map[Counter]uint64{c.counter: 1, MessagesReceived: before})
				if got := r.delivered(msg.Type); len(got) != 0 || r.stopped() {
					t.Errorf("delivered %v, stopped %v", got, r.stopped())
				}
			})
		})
	}
}

func TestDuplicateIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		frame := p.frame(p.message("stats", nil))
		for range 5 {
			p.sendFrame(frame)
		}
		if n := len(r.delivered("stats")); n != 1 {
			t.Errorf("%d delivered, want 1", n)
		}
		r.want(map[Counter]uint64{MessagesDuplicate: 4})
	})
}

// A peer whose messages the full dedup set refuses is alive: its pongs keep the connection open.
func TestRefusedIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.openVerified()
		r.dedup.mu.Lock()
		r.dedup.full = true
		r.dedup.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if r.stopped() || r.node.Counters.Get(MessagesRefused) == 0 {
			t.Errorf("stopped %v, %d refused; want a living connection that was refused its pongs", r.stopped(),
				r.node.Counters.Get(MessagesRefused))
		}
	})
}

// A full dedup set refuses messages only. Pings are answered, so that peers do not regard this node as dead. A pong to
// our ping verifies a deployed peer. A disconnect is obeyed.
func TestFullSetAnswersPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.dedup.full = true
		p := r.connect()
		p.mute = true
		p.shake()
		p.sendFrame(p.frame(p.message(wire.MsgPing, wire.PingPayload{SentAt: 7})))
		if got := r.strengths(); len(got) != 0 || len(p.got(wire.MsgPong)) != 0 {
			t.Fatalf("proofs %v and %d pongs by a ping that may be a recorded one", got, len(p.got(wire.MsgPong)))
		}
		time.Sleep(2 * time.Second)
		pong := p.message(wire.MsgPong, wire.PongPayload{})
		pong.ReplyTo = p.got(wire.MsgPing)[0].ID
		p.sendFrame(p.frame(pong))
		if got := r.strengths(); !slices.Equal(got, []Strength{Unmarked}) {
			t.Errorf("proofs %v, want one of strength unmarked", got)
		}
		p.sendFrame(p.frame(p.message(wire.MsgPing, wire.PingPayload{SentAt: 7})))
		if pongs := len(p.got(wire.MsgPong)); pongs != 1 {
			t.Errorf("%d pongs to a ping, want 1", pongs)
		}
		p.sendFrame(p.frame(p.message("stats", 1)))
		p.sendFrame(p.frame(p.message(wire.MsgDisconnect, wire.DisconnectPayload{
			Reason: "bye",
			Code:   wire.DisconnectNormal,
		})))
		if end := r.ended(); !end.Remote || end.Reason != "bye" {
			t.Errorf("ended %+v by the peer's disconnect", end)
		}
		r.want(map[Counter]uint64{MessagesRefused: 5, MessagesReceived: 0})
	})
}

// A relayed message does not verify an inbound peer, and is delivered only after the peer is verified.
func TestRelayedMessageIsNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		p.mute = true
		p.shake()
		msg := p.message("stats", nil)
		msg.From = newKeys(t, "elsewhere").Identity().ID
		p.sendFrame(p.frame(msg))
		if n := len(r.delivered("stats")); n != 0 || len(reportsOf[*Verified](r)) != 0 {
			t.Errorf("%d delivered, %d proofs; want none", n, len(reportsOf[*Verified](r)))
		}
		r.want(map[Counter]uint64{MessagesRefused: 1})
		p.send("stats", nil)
		if n := len(reportsOf[*Verified](r)); n != 1 {
			t.Errorf("%d proofs after the peer's own message, want 1", n)
		}
		p.send("stats", nil)
		if n := len(reportsOf[*Verified](r)); n != 1 {
			t.Errorf("%d proofs after two, want 1", n)
		}
		msg.ID = "another"
		p.sendFrame(p.frame(msg))
		if n := len(r.delivered("stats")); n != 3 {
			t.Errorf("%d delivered, want 3: two of the peer and one relayed", n)
		}
	})
}

// An attacker that has recorded the frames of an earlier connection can send them all: they verify nothing and are no
// sign of life.
func TestRecordedFramesProveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		victim := r.openVerified()
		var recorded [][]byte
		for range 20 {
			frame := victim.frame(victim.message("stats", nil))
			recorded = append(recorded, frame)
			victim.sendFrame(frame)
		}
		synctest.Wait()
		proofs := len(reportsOf[*Verified](r))
		attacker := r.connect()
		attacker.keys, attacker.mute = victim.keys, true
		attacker.shake()
		for _, frame := range slices.Concat(recorded, victim.recorded) { // one direction, then the other
			attacker.sendFrame(frame)
		}
		synctest.Wait()
		if n := len(reportsOf[*Verified](r)); n != proofs {
			t.Errorf("%d proofs more by recorded frames", n-proofs)
		}
		r.want(map[Counter]uint64{MessagesDuplicate: 20, MessagesRefused: uint64(len(victim.recorded))})
		start := time.Now()
		for time.Since(start) < 39*time.Second {
			attacker.sendFrame(recorded[0])
			time.Sleep(time.Second)
		}
		if n := len(reportsOf[*Ended](r)); n != 0 {
			t.Fatalf("%d ended early", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(reportsOf[*Ended](r)); n != 1 || r.ended().Code != wire.DisconnectProtocolErr {
			t.Errorf("%d ended, want the unverified one with 1002", n)
		}
	})
}
