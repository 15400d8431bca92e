package actors

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// meanLimiter reports no wait before a token, and gives the first one at the tenth call.
type meanLimiter struct{ calls atomic.Int32 }

func (l *meanLimiter) Take(time.Time) bool {
	return l.calls.Add(1) >= 10
}

func (l *meanLimiter) TakeSome(now time.Time, n int) int { return takeSome(l, now, n) }

func (*meanLimiter) Credit(time.Time, time.Duration) {}

func (*meanLimiter) Until(time.Time) time.Duration { return 0 }

// Another connection may take the token of a shared bucket between Take and Until. The record is tried again once per
// millisecond, not in a loop that uses the CPU.
func TestWaitingRecordRetriesOncePerMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		limiter := &meanLimiter{}
		r.tell(&RoutePublished{Limiter: limiter})
		synctest.Wait()
		limiter.calls.Store(0)
		p.send(p.message("stats", 1))
		for passed := range 10 {
			want := passed / 9
			if got := len(r.delivered("stats")); got != want || int(limiter.calls.Load()) != passed+1 {
				t.Errorf("after %d ms: %d delivered, %d calls, want %d and %d", passed, got, limiter.calls.Load(), want, passed+1)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// The frames before the proof are charged to the bucket that the registry lends afterwards: a peer gets no burst by a
// new connection.
func TestNewBucketIsChargedForEarlierFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := unansweredRig(t)
		p.shake()
		for range 10 {
			p.send("stats", nil)
		}
		synctest.Wait()
		r.tell(&RoutePublished{Limiter: NewPeerRateLimiter(5, 0.001, time.Now())})
		if n := len(r.delivered("stats")); n != 5 {
			t.Errorf("%d delivered, want 5: the proof takes one of five tokens", n)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 5})
	})
}

// A frame that waits behind a disconnect is dropped and counted, not delivered.
func TestFrameBehindAWaitingDisconnectIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := unansweredRig(t)
		p.shake()
		p.send("stats", nil)
		p.send(wire.MsgDisconnect, wire.DisconnectPayload{Code: wire.DisconnectNormal})
		p.send("stats", nil)
		synctest.Wait()
		r.tell(&RoutePublished{})
		if n := len(r.delivered("stats")); n != 1 {
			t.Errorf("%d delivered, want the one before the disconnect", n)
		}
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 1, MessagesReceived: 2})
	})
}

// Dropped frames leave the byte budget: duplicates of twice its size do not stop the reading.
func TestDroppedFramesLeaveTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited, func(l *Limits) { l.InboundBytes = 64 << 10 })
		p := r.openVerified()
		frame := p.frame(p.message("stats", strings.Repeat("x", 16<<10)))
		for range 9 {
			p.sendFrame(frame)
		}
		p.send("logs", nil)
		if n := len(r.delivered("logs")); n != 1 {
			t.Errorf("%d delivered behind the duplicates, want 1", n)
		}
		r.want(map[Counter]uint64{MessagesDuplicate: 8})
	})
}
