package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// creditDouble is a limiter that admits all frames and notes the credits.
type creditDouble struct{ credits []time.Duration }

func (*creditDouble) Take(time.Time) bool                      { return true }
func (*creditDouble) TakeSome(_ time.Time, n int) int          { return n }
func (*creditDouble) Until(time.Time) time.Duration            { return 0 }
func (d *creditDouble) Credit(_ time.Time, lost time.Duration) { d.credits = append(d.credits, lost) }

// The limiter gets each part of the time in which the read pump was held back once, and no part from before it exists.
func TestHeldTimeIsCreditedOnce(t *testing.T) {
	p, limiter := &connection{node: &Node{}, inbound: newBudget(1, nil, nil)}, &creditDouble{}
	credit := func(held time.Duration) {
		p.inbound.held.total.Store(int64(held))
		p.credit(time.Now())
	}
	credit(time.Second)
	p.limiter = limiter
	for _, held := range []time.Duration{time.Second, 3 * time.Second, 3 * time.Second, 4 * time.Second} {
		credit(held)
	}
	if want := []time.Duration{2 * time.Second, time.Second}; !slices.Equal(limiter.credits, want) {
		t.Errorf("credits %v, want %v", limiter.credits, want)
	}
}

// The bucket of a verified peer is charged for at most 1000 earlier frames, and for none behind a bound one.
func TestTakenTokensAreBounded(t *testing.T) {
	for strength, want := range map[Strength]int{Claimed: maxTaken, Unmarked: maxTaken, Bound: 0, Session: 0} {
		p := &connection{limiter: &creditDouble{}, proof: proof{strength: strength}}
		for range 2 * maxTaken {
			p.takeToken(time.Now())
		}
		if p.proof.taken != want {
			t.Errorf("%v: %d frames to charge, want %d", strength, p.proof.taken, want)
		}
	}
}

// A frame of an initiator before our ack is counted and not kept.
func TestFrameBeforeTheAckIsMalformed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.parent.silent = true
		p := r.dial()
		p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
		p.sendFrame([]byte("too early"))
		r.want(map[Counter]uint64{FramesMalformed: 1, BytesReceived: 0})
		r.tell(r.welcome(100))
		p.hearAck()
		r.want(map[Counter]uint64{FramesMalformed: 1, BytesReceived: 0, HandshakesAccepted: 1})
	})
}

// broken returns a record with messages and a length that reaches past its end.
func (p *sessionPeer) broken(messages ...*wire.Message) []byte {
	plaintext := make([]byte, 1)
	for _, msg := range messages {
		var err error
		if plaintext, err = wire.AppendMessage(plaintext, msg, p.id(), msg.To); err != nil {
			p.t.Error(err)
		}
	}
	return p.sealer.Seal(append(plaintext, 9, 0))
}

// The end of a record is checked also behind messages above the rate limit.
func TestBrokenRecordAboveTheRateEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		p.sendFrame(p.broken(p.many("stats", 120, 1)...))
		if got := p.status(); got != websocket.StatusProtocolError {
			t.Errorf("closed with %v, want 1002", got)
		}
		r.want(map[Counter]uint64{FramesMalformed: 1, MessagesRateLimited: 22})
		if n := r.slot.handle.Traffic().Dropped; n != 23 {
			t.Errorf("%d messages dropped, want 23", n)
		}
	})
}

// A broken end behind a disconnect is counted as after the goodbye, not as a violation.
func TestBrokenEndBehindADisconnectIsNoViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		bye := p.message(wire.MsgDisconnect, wire.DisconnectPayload{Reason: "bye", Code: wire.DisconnectNormal})
		p.sendFrame(p.broken(bye))
		if end := r.ended(); end.Code != wire.DisconnectNormal || !end.Remote {
			t.Errorf("ended with %+v", end)
		}
		r.want(map[Counter]uint64{FramesMalformed: 0, MessagesAfterGoodbye: 1})
	})
}

// Only the pong to its ping answers a probe of a session.
func TestProbeIsAnsweredByItsPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		r.tell(&Probe{})
		synctest.Wait()
		p.mu.Lock()
		ping := p.records[len(p.records)-1][0]
		p.mu.Unlock()
		for _, kind := range []wire.MessageType{"stats", wire.MsgPong} {
			if n := len(reportsOf[*Alive](r)); ping.Type != wire.MsgPing || n != 0 {
				t.Errorf("before the %s: the last message is a %s, %d reports of life", kind, ping.Type, n)
			}
			answer := p.message(kind, wire.PongPayload{})
			answer.ReplyTo = ping.ID
			p.send(answer)
		}
		if n := len(reportsOf[*Alive](r)); n != 1 {
			t.Errorf("%d reports of life, want 1", n)
		}
	})
}

// The interval of the peer's pings is measured from the second one on, and reported once.
func TestPeerPingsAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven() // sends the first ping
		for _, pause := range []time.Duration{20 * time.Second, 30 * time.Second} {
			if n := len(reportsOf[*PeerPings](r)); pause == 20*time.Second && n != 0 {
				t.Errorf("%d reports after one ping, want 0", n)
			}
			time.Sleep(pause)
			p.send(p.message(wire.MsgPing, wire.PingPayload{}))
			synctest.Wait()
			if got := r.slot.handle.PeerPingInterval(); got != pause {
				t.Errorf("interval %v, want %v", got, pause)
			}
		}
		if n := len(reportsOf[*PeerPings](r)); n != 1 {
			t.Errorf("%d reports, want 1", n)
		}
	})
}
