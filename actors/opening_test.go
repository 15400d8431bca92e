package actors

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

func TestInboundOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		hello := goodHandshake(p.keys)
		hello.Features = nil
		p.sayPlain(encodeLogin(t, wire.MsgHandshake, hello))
		ack, _ := p.hearAck()
		if !ack.Accepted || ack.Identity.ID != r.node.Keys.Identity().ID ||
			!slices.Contains(ack.Features, "single-connection") || !slices.Contains(ack.Features, "rate/100/50") {
			t.Errorf("ack %+v", ack)
		}
		p.listen()
		if n := len(p.got(wire.MsgPing)); n != 0 {
			t.Errorf("%d pings before the proof, want none at once", n)
		}
		time.Sleep(time.Second)
		if n := len(p.got(wire.MsgPing)); n != 1 {
			t.Errorf("%d pings after a second to a peer that announces nothing, want 1", n)
		}
		who := reportsOf[*Identified](r)
		if len(who) != 1 || who[0].Identity.ID != p.id() || who[0].Strength != Claimed || who[0].Key != p.keys.PublicKey() {
			t.Errorf("identified %+v", who)
		}
		if n := len(reportsOf[*Verified](r)); n != 1 { // by the pong
			t.Errorf("%d reports of proof, want 1", n)
		}
		r.want(map[Counter]uint64{HandshakesAccepted: 1, HandshakesRejected: 0})
	})
}

func TestInboundRefusesAndTellsReason(t *testing.T) {
	cases := []struct {
		name   string
		spoil  func(*rig, *wire.HandshakePayload)
		reason string
	}{
		{
			"version", func(_ *rig, h *wire.HandshakePayload) { h.Version = "2.0" },
			"incompatible protocol version 2.0, supported: [1.0]",
		},
		{"identity", func(_ *rig, h *wire.HandshakePayload) { h.Identity.ID = strings.Repeat("0", 32) }, "invalid handshake"},
		{
			"registry", func(r *rig, _ *wire.HandshakePayload) { r.parent.refuse = "peer not authorized" },
			"peer not authorized",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.connect()
				hello := goodHandshake(p.keys)
				c.spoil(r, &hello)
				p.sayPlain(encodeLogin(t, wire.MsgHandshake, hello))
				ack, _ := p.hearAck()
				if ack.Accepted || ack.Reason != c.reason || len(ack.ChallengeResponse) != 0 {
					t.Errorf("ack %+v, want a refusal with %q", ack, c.reason)
				}
				if _, _, err := p.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
					t.Errorf("then %v, want a close with 1008", err)
				}
				r.want(map[Counter]uint64{HandshakesAccepted: 0, HandshakesRejected: 1})
				if !r.stopped() {
					t.Error("the slot is not free")
				}
			})
		})
	}
}

func TestLargeHandshakeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		hello := goodHandshake(p.keys)
		hello.Identity.Name = strings.Repeat("x", maxHandshakeSize)
		p.sayPlain(encodeLogin(t, wire.MsgHandshake, hello))
		if _, _, err := p.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("got %v, want a close with 1009", err)
		}
		r.want(map[Counter]uint64{HandshakesRejected: 1})
		if !r.stopped() {
			t.Error("the slot is not free")
		}
	})
}

// A peer that sends nothing, or one byte per second, is closed at the handshake timeout, in any phase.
func TestHandshakeTimeoutClosesSilentPeer(t *testing.T) {
	cases := map[string]func(*testing.T, *rig){
		"a slot without a socket": func(_ *testing.T, r *rig) { r.spawn(Opening{Direction: Inbound}) },
		"a silent socket":         func(_ *testing.T, r *rig) { r.connect() },
		"no answer from the registry": func(t *testing.T, r *rig) {
			r.parent.silent = true
			p := r.connect()
			p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
		},
		"a responder that says nothing": func(_ *testing.T, r *rig) {
			r.awaitDial(func(*remote, wire.HandshakePayload) {})
			r.dialHere("")
		},
	}
	for name, begin := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				start := time.Now()
				begin(t, r)
				time.Sleep(10*time.Second - time.Nanosecond)
				if r.stopped() {
					t.Errorf("over after %v", time.Since(start))
				}
				time.Sleep(time.Nanosecond)
				if !r.stopped() {
					t.Error("not over after 10s")
				}
				if end := r.ended(); end.Err != ErrHandshakeTimeout {
					t.Errorf("ended with %v", end.Err)
				}
			})
		})
	}
}

func TestOutboundOpens(t *testing.T) {
	const early = 30 // so many that their buffers are used again
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.awaitDial(func(p *remote, hello wire.HandshakePayload) {
			if hello.Version != "1.0" || len(hello.Challenge) != 32 || hello.Identity.ID != r.node.Keys.Identity().ID {
				t.Errorf("handshake %+v", hello)
			}
			p.ack(hello)
			for range early { // a responder may speak as soon as it has sent its ack
				p.send("hello", nil)
			}
		})
		r.parent.silent = true
		r.dialHere("")
		synctest.Wait()
		who := reportsOf[*Identified](r)
		if len(who) != 1 || who[0].Strength != Unmarked {
			t.Fatalf("identified %+v, want one that is proven", who)
		}
		if n := len(r.delivered("hello")); n != 0 {
			t.Error("delivered before the registry's welcome")
		}
		r.tell(r.welcome(100))
		if n := len(r.delivered("hello")); n != early {
			t.Errorf("%d delivered after it, want %d", n, early)
		}
	})
}

// A responder may send a large message as soon as its ack is sent, before our registry has decided.
func TestOutboundReadsLargeMessageBeforeWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.parent.silent = true
		r.awaitDial(func(p *remote, hello wire.HandshakePayload) {
			p.ack(hello)
			p.send("large", strings.Repeat("x", 900<<10))
		})
		r.dialHere("")
		time.Sleep(time.Second)
		if n := len(reportsOf[*Identified](r)); n != 1 {
			t.Fatalf("identified %d times", n)
		}
		r.tell(r.welcome(100))
		time.Sleep(time.Second)
		if n := len(r.delivered("large")); n != 1 {
			t.Errorf("%d messages delivered, want 1; ended: %+v", n, reportsOf[*Ended](r))
		}
	})
}

func TestOutboundFailureIsReported(t *testing.T) {
	cases := []struct {
		name   string
		expect string
		answer func(*remote, wire.HandshakePayload)
		want   error
	}{
		{"refused", "", func(p *remote, _ wire.HandshakePayload) {
			p.sayPlain(encodeLogin(p.t, wire.MsgHandshakeAck, wire.HandshakeAckPayload{Reason: "peer not authorized"}))
		}, ErrRefused},
		{
			"another identity", strings.Repeat("0", 32), func(p *remote, h wire.HandshakePayload) { p.ack(h) },
			ErrWrongIdentity,
		},
		{"closed before the ack", "", func(p *remote, _ wire.HandshakePayload) { p.ws.CloseNow() }, ErrHandshake},
		{"a challenge of its own", "", func(p *remote, h wire.HandshakePayload) {
			p.sayPlain(encodeLogin(p.t, wire.MsgHandshake, goodHandshake(p.keys)))
		}, ErrHandshake},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.awaitDial(c.answer)
				r.dialHere(c.expect)
				synctest.Wait()
				if end := r.ended(); !errors.Is(end.Err, c.want) {
					t.Errorf("ended with %v, want %v", end.Err, c.want)
				}
				if n := len(reportsOf[*Identified](r)); n != 0 || !r.stopped() {
					t.Errorf("%d identified, stopped %v", n, r.stopped())
				}
			})
		})
	}
}

// The slot of an ended actor closes a socket that is attached.
func TestAttachAfterEndClosesSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slot := r.spawn(Opening{Direction: Inbound})
		slot.Fail(errors.New("no socket"))
		if !r.stopped() {
			t.Fatal("the slot is not free")
		}
		pair := newPair(t)
		if slot.Attach(pair.ours) {
			t.Error("attached to an actor that is gone")
		}
		if _, _, err := pair.theirs.Read(t.Context()); err == nil {
			t.Error("the socket is open")
		}
	})
}
