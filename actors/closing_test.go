package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// post queues a message for the peer through the handle.
func (r *rig) post(id string, size int) error {
	msg, err := wire.NewMessage("stats", r.node.Keys.Identity().ID, "", strings.Repeat("x", size))
	if err != nil {
		r.t.Fatal(err)
	}
	msg.ID = id
	post, err := r.node.Broadcast(msg)
	if err != nil {
		r.t.Fatal(err)
	}
	return post(r.slot.handle)
}

// Queued messages are sent first, in order, then the disconnect message, then the close frame.
func TestCloseGracefullySendsDisconnectLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		var want []string
		for i := range 500 {
			want = append(want, fmt.Sprint(i))
			if err := r.post(want[i], 1000); err != nil {
				t.Fatal(err)
			}
		}
		r.slot.handle.Close(wire.DisconnectShutdown, "server shutdown")
		switch err := r.post("late", 1); err {
		case nil: // accepted before the actor has refused further messages
			want = append(want, "late")
		case ErrClosed:
		default:
			t.Error(err)
		}
		payload, status := p.lastMessage()
		if payload.Code != wire.DisconnectShutdown || payload.Reason != "server shutdown" ||
			status != websocket.StatusGoingAway {
			t.Errorf("disconnect %+v with status %v", payload, status)
		}
		var got []string
		for _, msg := range p.got("stats") {
			got = append(got, msg.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d messages arrived before it, want the %d accepted ones in order", len(got), len(want))
		}
		if !r.stopped() {
			t.Error("the slot is not free")
		}
		if err := r.post("later still", 1); err != ErrClosed {
			t.Errorf("after the end: %v, want ErrClosed", err)
		}
	})
}

// A caller that waits for a message gets a result, however the connection ends.
func TestSendReturnsAtConnectionEnd(t *testing.T) {
	ends := map[string]struct {
		end  func(*rig, *remote)
		want error
	}{
		"written":        {func(*rig, *remote) {}, nil},
		"abort":          {func(r *rig, _ *remote) { r.node.System.Root.Stop(r.slot.handle.pid) }, ErrClosed},
		"the peer's end": {func(_ *rig, p *remote) { p.ws.CloseNow() }, ErrClosed},
		"write timeout":  {func(*rig, *remote) { time.Sleep(10 * time.Second) }, ErrWriteTimeout},
	}
	for name, c := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openVerified()
				if c.want != nil {
					r.Stall(sockettest.HereIP, sockettest.ThereIP)
					for range 4 { // more than the network holds
						if err := r.post("big", 200_000); err != nil {
							t.Fatal(err)
						}
					}
				}
				result := make(chan error, 1)
				msg := p.message("stats", nil)
				go func() { result <- r.slot.handle.Send(context.Background(), msg) }()
				synctest.Wait()
				c.end(r, p)
				synctest.Wait()
				select {
				case err := <-result:
					if c.want == nil && err != nil || !errors.Is(err, c.want) {
						t.Errorf("Send: %v, want %v", err, c.want)
					}
				default:
					t.Error("Send has not returned")
				}
				if m, n := r.slot.handle.Queued(); c.want == nil && (m != 0 || n != 0) {
					t.Errorf("%d messages and %d bytes wait after all was written", m, n)
				}
				r.Resume(sockettest.HereIP, sockettest.ThereIP)
			})
		})
	}
}

func TestSendReturnsAtContextEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.stallWriter()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.slot.handle.Send(ctx, p.message("stats", nil)); !errors.Is(err, context.DeadlineExceeded) ||
			time.Since(start) != time.Second {
			t.Errorf("Send: %v after %v", err, time.Since(start))
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		if n := len(p.got("stats")); n != 5 {
			t.Errorf("%d messages arrived, want all 5: giving up does not take one back", n)
		}
	})
}

func TestPostEnforcesLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.MaxMessageSize, l.QueueMessages = 10_000, 3 })
		p := r.openVerified()
		if err := r.post("fits", 9_500); err != nil {
			t.Errorf("9,500 bytes: %v", err)
		}
		if err := r.post("does not", 10_000); err != ErrTooLarge {
			t.Errorf("10,000 bytes: %v, want ErrTooLarge", err)
		}
		synctest.Wait()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		full := 0
		for i := range 200 { // the network's capacity, a batch with the writer, and three waiting frames
			switch err := r.post(fmt.Sprint(i), 9_000); err {
			case nil:
			case ErrQueueFull:
				full++
			default:
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if m, _ := r.slot.handle.Queued(); full == 0 || m != 3 {
			t.Errorf("%d refused, %d queued, want 3 queued", full, m)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		if n := len(p.got("stats")); n != 201-full {
			t.Errorf("%d arrived, want the %d that were taken", n, 201-full)
		}
		if m, n := r.slot.handle.Queued(); m != 0 || n != 0 {
			t.Errorf("%d messages and %d bytes still counted", m, n)
		}
	})
}

func TestPeersDisconnectEndsConnection(t *testing.T) {
	cases := []struct {
		name string
		say  func(*remote)
		want End
	}{
		{
			"disconnect", func(p *remote) { p.send(wire.MsgDisconnect, wire.DisconnectPayload{Reason: "bye", Code: 1004}) },
			End{Code: 1004, Reason: "bye", Remote: true},
		},
		{
			"a code that is none", func(p *remote) { p.send(wire.MsgDisconnect, wire.DisconnectPayload{Code: 7}) },
			End{Code: 1000, Remote: true},
		},
		{"a payload that is none", func(p *remote) { p.send(wire.MsgDisconnect, "x") }, End{Code: 1000, Remote: true}},
		{"a reason of 10 KB", func(p *remote) {
			p.send(wire.MsgDisconnect, wire.DisconnectPayload{Reason: strings.Repeat("x", 10<<10), Code: 1001})
		}, End{Code: 1001, Reason: strings.Repeat("x", 256), Remote: true}},
		{
			"a WebSocket close", func(p *remote) { _ = p.ws.Close(websocket.StatusNormalClosure, "") },
			End{Code: 1000, Reason: "closed by the peer", Remote: true},
		},
		{"a reset", func(p *remote) { _ = p.ws.CloseNow() }, End{Code: 1001, Reason: "connection lost"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openVerified()
				c.say(p)
				end := r.ended()
				end.Err = nil
				if end != c.want {
					t.Errorf("ended with %+v, want %+v", end, c.want)
				}
				p.pump.Wait()
				if !r.stopped() {
					t.Error("the slot is not free")
				}
				if n := len(r.delivered(wire.MsgDisconnect)); n == 0 && c.name == "disconnect" {
					t.Error("the handler has not seen the disconnect message")
				}
			})
		})
	}
}
