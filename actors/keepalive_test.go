package actors

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

func TestPingIsSentEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		start := time.Now()
		p := r.openVerified()
		time.Sleep(10*time.Minute + time.Second)
		pings := p.got(wire.MsgPing)
		if len(pings) != 20 { // every 30 s from the proof on
			t.Fatalf("%d pings in 10 minutes, want 20", len(pings))
		}
		for i, ping := range pings {
			if at := p.at[i].Sub(start); at != time.Duration(i+1)*30*time.Second {
				t.Errorf("ping %d after %v", i, at)
			}
			var payload wire.PingPayload
			if err := ping.ParsePayload(&payload); err != nil || payload.SentAt != p.at[i].UnixMilli() {
				t.Errorf("ping %d holds %+v (%v)", i, payload, err)
			}
		}
		if n := len(r.delivered(wire.MsgPong)); n != 20 {
			t.Errorf("the handler saw %d pongs, want 20", n)
		}
	})
}

// A pong answers a ping if it names its ID, in the text that was sent.
func TestPingIDIsAnsweredByItsText(t *testing.T) {
	ping, err := wire.NewMessage(wire.MsgPing, "a", "b", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := wire.NewMessage(wire.MsgPing, "a", "b", nil)
	if err != nil {
		t.Fatal(err)
	}
	id := newPingID(ping)
	for _, c := range []struct {
		id      pingID
		replyTo string
		want    bool
	}{
		{id, ping.ID, true},
		{id, other.ID, false},
		{id, strings.ToUpper(ping.ID), false},
		{id, "", false},
		{pingID{}, "", false},
		{pingID{}, "00000000-0000-0000-0000-000000000000", false},
	} {
		if got := c.id.answeredBy(c.replyTo); got != c.want {
			t.Errorf("ping %x, answer to %q: %v, want %v", c.id, c.replyTo, got, c.want)
		}
	}
}

func TestPingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		ping := p.send(wire.MsgPing, wire.PingPayload{SentAt: 12345})
		odd := p.send(wire.MsgPing, "a payload of another shape")
		pongs := p.got(wire.MsgPong)
		if len(pongs) != 2 {
			t.Fatalf("%d pongs for 2 pings", len(pongs))
		}
		var payload wire.PongPayload
		if err := pongs[0].ParsePayload(&payload); err != nil || payload.SentAt != 12345 ||
			payload.ReceivedAt != time.Now().UnixMilli() {
			t.Errorf("pong %+v (%v)", payload, err)
		}
		if pongs[0].ReplyTo != ping.ID || pongs[1].ReplyTo != odd.ID || pongs[0].From != r.node.Keys.Identity().ID ||
			pongs[0].To != p.id() {
			t.Errorf("pong %+v", pongs[0])
		}
		if n := len(r.delivered(wire.MsgPing)); n != 2 {
			t.Errorf("the handler saw %d pings, want 2", n)
		}
	})
}

func TestRoundTripTimeIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		if rtt := r.slot.handle.RoundTrip(); rtt != 0 {
			t.Errorf("%v on a network without latency", rtt)
		}
		r.SetLatency(sockettest.HereIP, sockettest.ThereIP, 30*time.Millisecond)
		r.SetLatency(sockettest.ThereIP, sockettest.HereIP, 12*time.Millisecond)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if rtt := r.slot.handle.RoundTrip(); rtt != 42*time.Millisecond {
			t.Errorf("round trip %v, want 42ms", rtt)
		}
		// A pong to an older ping, or to none, changes nothing.
		pings := p.got(wire.MsgPing)
		for _, id := range []string{pings[0].ID, "never sent", ""} {
			pong := p.message(wire.MsgPong, wire.PongPayload{})
			pong.ReplyTo = id
			p.sendFrame(p.frame(pong))
		}
		time.Sleep(time.Second)
		if rtt := r.slot.handle.RoundTrip(); rtt != 42*time.Millisecond {
			t.Errorf("round trip %v after false pongs, want 42ms", rtt)
		}
		if at := r.slot.handle.LastActivity(); time.Since(at) > time.Second {
			t.Errorf("last activity %v ago", time.Since(at))
		}
	})
}

func TestSilenceEndsTheConnection(t *testing.T) {
	cases := map[string]func(p *remote){
		"silent": func(*remote) {},
		"frames that do not open": func(p *remote) {
			for range 70 {
				p.sendFrame([]byte("noise"))
				time.Sleep(time.Second / 2)
			}
		},
		"WebSocket pings": func(p *remote) {
			for range 30 {
				_ = p.ws.Ping(p.t.Context())
				time.Sleep(time.Second)
			}
		},
		"stale messages": func(p *remote) {
			for range 30 {
				msg := p.message("stats", nil)
				msg.Timestamp = msg.Timestamp.Add(-time.Hour)
				p.sendFrame(p.frame(msg))
				time.Sleep(time.Second)
			}
		},
	}
	for name, behave := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openVerified()
				p.setMute(true)
				start := time.Now()
				behave(p)
				time.Sleep(40*time.Second - time.Nanosecond - time.Since(start))
				if n := len(reportsOf[*Ended](r)); n != 0 {
					t.Fatalf("over after %v", time.Since(start))
				}
				time.Sleep(time.Nanosecond)
				if end := r.ended(); end.Code != wire.DisconnectTimeout || end.Remote {
					t.Errorf("ended with %+v, want 1003", end)
				}
				if payload, _ := p.lastMessage(); payload.Code != wire.DisconnectTimeout {
					t.Errorf("disconnect %+v, want 1003", payload)
				}
				r.want(map[Counter]uint64{PeersTimedOut: 1})
			})
		})
	}
}

// A deployed node may answer no ping; its own pings keep the connection open.
func TestPeersOwnPingsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		p.mute = true
		p.shake()
		for range 20 {
			time.Sleep(30 * time.Second)
			p.send(wire.MsgPing, wire.PingPayload{})
		}
		synctest.Wait()
		if n := len(reportsOf[*Ended](r)); n != 0 {
			t.Errorf("ended: %+v", reportsOf[*Ended](r)[0].End)
		}
		r.want(map[Counter]uint64{PeersTimedOut: 0})
	})
}

// While a handler holds the read pump back, silence does not count against the peer, and our pings continue.
func TestBlockedHandlerKeepsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited, func(l *Limits) { l.InboundBytes = 4000 })
		release := make(chan struct{})
		p := r.openVerified()
		r.sink.hook = func(*wire.Message) { <-release }
		for range 20 {
			p.send("stats", nil)
		}
		before := len(p.got(wire.MsgPing))
		time.Sleep(4*time.Minute + time.Second) // after 5 minutes the unread messages would be stale
		if n := len(p.got(wire.MsgPing)) - before; n != 8 {
			t.Errorf("%d pings in 4 minutes of a blocked handler, want 8", n)
		}
		if n := len(reportsOf[*Ended](r)); n != 0 {
			t.Fatalf("ended: %+v", reportsOf[*Ended](r)[0].End)
		}
		close(release)
		if n := len(r.delivered("stats")); n != 20 {
			t.Errorf("%d delivered in the end, want 20", n)
		}
	})
}

// A probe that asks once is answered once.
func TestProbeReportsAliveOrDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		p.setMute(true)
		before := len(p.got(wire.MsgPing))
		r.tell(&Probe{})
		if n := len(p.got(wire.MsgPing)) - before; n != 1 {
			t.Errorf("%d pings by a probe, want 1", n)
		}
		if n := len(reportsOf[*Alive](r)); n != 1 {
			t.Errorf("%d reports of life, want 1 by the pong to the WebSocket ping", n)
		}
		p.send("stats", nil)
		p.send("stats", nil)
		if n := len(reportsOf[*Alive](r)); n != 1 {
			t.Errorf("%d reports, want 1", n)
		}
	})
}

// A ping is answered even if the outbox is full.
func TestPongIsSentDespiteFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.QueueMessages = 20 })
		p := r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		for err := error(nil); err == nil; {
			err = r.post("x", 100_000)
		}
		p.send(wire.MsgPing, wire.PingPayload{SentAt: 1})
		time.Sleep(500 * time.Millisecond)
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		synctest.Wait()
		if n := len(p.got(wire.MsgPong)); n != 1 {
			t.Errorf("%d pongs, want 1", n)
		}
	})
}

// Messages of the connection itself have no reservation, so their number must not grow with the peer's pings.
func TestOwnMessagesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		for range 3 { // more than the network holds
			if err := r.post("x", 1_000_000); err != nil {
				t.Fatal(err)
			}
		}
		for range 80 {
			p.send(wire.MsgPing, wire.PingPayload{SentAt: 1})
		}
		synctest.Wait()
		before, _ := r.slot.handle.Queued()
		if own := r.slot.handle.outbox.ownWaiting(); own != maxOwnQueued || before > maxOwnQueued+3 {
			t.Errorf("%d messages wait, %d of the connection's own; want %d of those", before, own, maxOwnQueued)
		}
		for range 80 {
			r.tell(&Probe{})
		}
		synctest.Wait()
		if n, _ := r.slot.handle.Queued(); n != before+1 {
			t.Errorf("%d more messages wait, want one ping for all probes until it is answered", n-before)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		synctest.Wait()
		if r.stopped() {
			t.Error("the connection has ended")
		}
	})
}
