package actors

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// postMany posts n messages with IDs of this prefix and returns the IDs.
func (r *rig) postMany(prefix string, n int) (ids []string) {
	r.t.Helper()
	for i := range n {
		id := fmt.Sprint(prefix, i)
		if err := r.post(id, 10); err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// duplicate sends the disconnect message that closes a duplicate.
func (p *remote) duplicate() {
	p.send(wire.MsgDisconnect, wire.DisconnectPayload{Code: wire.DisconnectNormal, Reason: ReasonDuplicate})
}

// The node with the smaller ID yields. The peer gets every queued message, then the disconnect. Messages of the peer
// are delivered until it has sent its disconnect, too.
func TestYieldDeliversBothDirectionsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openBound("single-connection", "rate/100/0")
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		want := r.postMany("out", 50)
		r.tell(&Yield{Reason: ReasonDuplicate})
		synctest.Wait()
		if err := r.post("late", 10); err != ErrClosed {
			t.Errorf("a message after the yield: %v, want ErrClosed", err)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		if got := p.ids(); !slices.Equal(got, append(want, "disconnect")) {
			t.Errorf("the peer heard %v", got)
		}
		var sent []string
		for range 50 {
			sent = append(sent, p.send("stats", nil).ID)
		}
		p.duplicate()
		if got := r.delivered("stats"); !slices.Equal(got, sent) {
			t.Errorf("%d messages of the draining peer delivered, want 50 in order", len(got))
		}
		p.pump.Wait()
		if status := websocket.CloseStatus(p.closed); status != websocket.StatusNormalClosure {
			t.Errorf("closed with %v, want 1000", p.closed)
		}
		time.Sleep(6 * time.Second) // the linger
		if end := r.ended(); end.Code != wire.DisconnectNormal || end.Remote || !r.stopped() {
			t.Errorf("ended with %+v, stopped %v", end, r.stopped())
		}
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 0, PeersTimedOut: 0})
	})
}

// The node with the larger ID answers a disconnect with its queued messages, its own disconnect and the close frame.
// The same holds for a node whose identity is in use on another address.
func TestDuplicateIsAnsweredBehindTheQueue(t *testing.T) {
	for _, reason := range []string{ReasonDuplicate, ReasonIdentityInUse} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			p := r.openBound("single-connection", "rate/100/0")
			r.Stall(sockettest.HereIP, sockettest.ThereIP)
			want := r.postMany("out", 50)
			last := p.send("stats", nil)
			p.send(wire.MsgDisconnect, wire.DisconnectPayload{Code: wire.DisconnectNormal, Reason: reason})
			synctest.Wait()
			r.Resume(sockettest.HereIP, sockettest.ThereIP)
			if got := p.ids(); !slices.Equal(got, append(want, "disconnect")) {
				t.Errorf("the peer heard %v", got)
			}
			if payload, status := p.lastMessage(); payload.Reason != reason || status != websocket.StatusNormalClosure {
				t.Errorf("disconnect %+v, status %v", payload, status)
			}
			if got := r.delivered("stats"); !slices.Equal(got, []string{last.ID}) {
				t.Errorf("delivered %v, want the message before the disconnect", got)
			}
			if end := r.ended(); !end.Remote {
				t.Errorf("ended with %+v, want by the peer", end)
			}
		})
	}
}

// Messages that wait for the peer's rate limit are sent before the disconnect, at the peer's rate, on either side.
func TestDrainKeepsPacedMessagesBeforeTheDisconnect(t *testing.T) {
	for name, begin := range map[string]func(*rig, *remote){
		"we yield":     func(r *rig, _ *remote) { r.tell(&Yield{Reason: ReasonDuplicate}) },
		"peer yields":  func(_ *rig, p *remote) { p.duplicate() },
		"both at once": func(r *rig, p *remote) { r.tell(&Yield{Reason: ReasonDuplicate}); p.duplicate() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openBound("single-connection", "rate/10/5")
				start := time.Now()
				want := r.postMany("out", 60)
				synctest.Wait()
				begin(r, p)
				time.Sleep(5 * time.Second)
				if n := len(p.ids()); n < 25 || n > 36 {
					t.Errorf("%d messages after 5 s at 5 per second", n)
				}
				time.Sleep(15*time.Second - time.Since(start))
				if got := p.ids(); !slices.Equal(got, append(want, "disconnect")) {
					t.Errorf("the peer heard %d messages: %v", len(got), got)
				}
				r.want(map[Counter]uint64{MessagesOverPeerRate: 0})
				if name == "we yield" {
					p.duplicate()
				}
				p.pump.Wait()
				if status := websocket.CloseStatus(p.closed); status != websocket.StatusNormalClosure {
					t.Errorf("closed with %v, want 1000", p.closed)
				}
			})
		})
	}
}

// A peer that does not answer the disconnect is closed after PingInterval + PongTimeout. Messages that still wait for
// its rate limit are sent above it and counted.
func TestDrainEndsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openBound("single-connection", "rate/10/1")
		want := r.postMany("out", 100)
		r.tell(&Yield{Reason: ReasonDuplicate})
		time.Sleep(40*time.Second - time.Nanosecond)
		if n := len(p.ids()); n > 50 || r.stopped() {
			t.Fatalf("%d messages after 40 s at 1 per second, stopped %v", n, r.stopped())
		}
		time.Sleep(time.Nanosecond)
		if got := p.ids(); !slices.Equal(got, append(want, "disconnect")) {
			t.Errorf("the peer heard %v", got)
		}
		p.pump.Wait()
		time.Sleep(6 * time.Second)
		if !r.stopped() || r.node.Counters.Get(MessagesOverPeerRate) < 50 {
			t.Errorf("stopped %v, %d counted over the rate", r.stopped(), r.node.Counters.Get(MessagesOverPeerRate))
		}
	})
}
