package actors

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// A peer that stops reading is closed as slow: after a write timeout, or when a full outbox makes no progress.
func TestFullOutboxClosesSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.QueueMessages = 10 })
		r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		start := time.Now()
		for len(reportsOf[*Ended](r)) == 0 {
			_ = r.post("x", 100_000)
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took < time.Second || took > 4*time.Second {
			t.Errorf("closed after %v, want soon after the grace of 1s", took)
		}
		if end := r.ended(); end.Code != wire.DisconnectTimeout || end.Remote {
			t.Errorf("ended with %+v", end)
		}
		r.want(map[Counter]uint64{SlowPeersClosed: 1})
		if !r.stopped() {
			t.Error("the slot is not free")
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
	})
}

// A peer that reads continuously but slowly is not closed, however large the messages are.
func TestSlowReadingPeerIsKept(t *testing.T) {
	for _, size := range []int{30 << 10, 900 << 10} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			p := r.connect()
			p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
			p.hearAck()
			p.prepare()
			p.send("hello", nil)
			done := make(chan struct{})
			go func() { // 300 kB/s
				defer close(done)
				for {
					_, message, err := p.ws.Reader(context.Background())
					for err == nil {
						_, err = io.CopyN(io.Discard, message, 6<<10)
						time.Sleep(20 * time.Millisecond)
					}
					if err != io.EOF {
						return
					}
				}
			}()
			full := 0
			for range 100 { // 10 s with a full queue
				for err := error(nil); err == nil; {
					if err = r.post("x", size); errors.Is(err, ErrQueueFull) {
						full++
					}
				}
				time.Sleep(100 * time.Millisecond)
			}
			if full != 100 || r.stopped() {
				t.Errorf("%d bytes each: found the queue full %d times; ended: %+v", size, full, reportsOf[*Ended](r))
			}
			p.ws.CloseNow()
			<-done
		})
	}
}

func TestWriteTimeoutClosesSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		start := time.Now()
		for range 4 {
			_ = r.post("x", 100_000)
		}
		time.Sleep(10*time.Second - time.Nanosecond - time.Since(start))
		if n := len(reportsOf[*Ended](r)); n != 0 {
			t.Fatal("closed early")
		}
		time.Sleep(time.Nanosecond)
		r.want(map[Counter]uint64{SlowPeersClosed: 1})
		if !r.stopped() {
			t.Error("the slot is not free")
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
	})
}
