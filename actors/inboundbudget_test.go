package actors

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// A frame is charged until its handler has returned, an empty one too: a flood stops the reading of its own connection
// before it fills the memory.
func TestFloodOfTinyFramesIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.InboundBytes = 64 << 10 })
		release := make(chan struct{})
		p := r.openVerified()
		r.dedup.hook = func(*wire.Message) { <-release }
		p.send("stats", nil) // the actor is busy with it
		synctest.Wait()
		var sent atomic.Int64
		p.pump.Go(func() {
			for sent.Load() < 100_000 && p.ws.Write(context.Background(), websocket.MessageBinary, nil) == nil {
				sent.Add(1)
			}
		})
		synctest.Wait()
		// The network holds 256 KiB of frames of 6 bytes, and the WebSocket library's buffer holds 4 KiB.
		const budgeted, buffered = 57, 4 << 10 / 6
		if n := sent.Load() - 256<<10/6; n > budgeted+buffered+1 {
			t.Errorf("%d empty frames were taken in while the actor took none, want %d and %d at most that are buffered", n,
				budgeted, buffered)
		}
		close(release)
	})
}

// A blocked handler stops the reading of its own connection when the budget is used up. No message is lost.
func TestBlockedHandlerStopsTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited, func(l *Limits) { l.InboundBytes = 100_000 })
		release := make(chan struct{})
		p := r.openVerified()
		r.sink.hook = func(*wire.Message) { <-release }
		text := string(slices.Repeat([]byte("x"), 10_000))
		p.pump.Go(func() {
			for range 100 {
				p.send("stats", text)
			}
		})
		synctest.Wait()
		read := r.node.Counters.Get(BytesReceived)
		if read < 90_000 || read > 125_000 {
			t.Errorf("%d bytes taken in, want about the budget of 100,000", read)
		}
		close(release)
		if n := len(r.delivered("stats")); n != 100 {
			t.Errorf("%d delivered in the end, want 100", n)
		}
	})
}
