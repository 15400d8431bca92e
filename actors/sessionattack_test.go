package actors

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// scriptedLimiter gives one answer after the other, then refuses.
type scriptedLimiter struct{ answers []bool }

func (l *scriptedLimiter) Take(time.Time) (taken bool) {
	if len(l.answers) > 0 {
		taken, l.answers = l.answers[0], l.answers[1:]
	}
	return taken
}

func (l *scriptedLimiter) TakeSome(now time.Time, n int) int { return takeSome(l, now, n) }

func (*scriptedLimiter) Credit(time.Time, time.Duration) {}

func (*scriptedLimiter) Until(time.Time) time.Duration { return time.Hour }

// At the end of a connection, records that wait for a token are opened in order, so that a token that returns in
// between finds a record that opens. Messages without a token are dropped, each counted.
func TestEndOpensRecordsThatWaitForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		r.tell(&RoutePublished{Limiter: &scriptedLimiter{answers: []bool{false, false, false, true}}})
		synctest.Wait()
		r.Stall(sockettest.ThereIP, sockettest.HereIP)
		for _, n := range []int{2, 1, 1} {
			p.send(p.many("stats", n, 1)...)
		}
		var closing sync.WaitGroup
		closing.Go(func() { _ = p.ws.Close(websocket.StatusNormalClosure, "") })
		synctest.Wait()
		r.Resume(sockettest.ThereIP, sockettest.HereIP) // the node reads the records and the end at once
		closing.Wait()
		if end := r.ended(); !end.Remote || end.Code != wire.DisconnectNormal {
			t.Errorf("ended %+v, want a normal end by the peer", end)
		}
		if got := len(r.delivered("stats")); got != 1 {
			t.Errorf("%d messages delivered, want the one with a token", got)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 3, FramesMalformed: 0, MessagesAfterGoodbye: 0})
	})
}

// When a connection ends while its handler is blocked, the records that wait are not opened beyond the byte budget:
// they are dropped, and each is counted.
func TestEndDropsRecordsBeyondTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, unlimited, func(l *Limits) { l.InboundBytes = 100_000 })
		p := r.openProven()
		release := make(chan struct{})
		r.sink.hook = func(*wire.Message) { <-release }
		r.Stall(sockettest.ThereIP, sockettest.HereIP)
		const records, each, opened = 8, 200, 2 // the messages of two records take 113,600 bytes
		for range records {
			p.send(p.many("stats", each, 1)...)
		}
		synctest.Wait()
		r.Resume(sockettest.ThereIP, sockettest.HereIP) // the node reads all records at once
		synctest.Wait()
		r.slot.handle.Close(wire.DisconnectNormal, "end")
		synctest.Wait()
		r.want(map[Counter]uint64{MessagesReceived: 1 + opened*each, MessagesAfterGoodbye: records - opened})
		close(release)
		if n := len(r.delivered("stats")); n != opened*each {
			t.Errorf("%d messages delivered, want %d", n, opened*each)
		}
	})
}

// A backlog that never ends takes the memory of the records in it, not of all records that were in it.
func TestBacklogMemoryIsThatOfItsRecords(t *testing.T) {
	p := &connection{}
	p.keepFrame([]byte{0}, false)
	for i := range 100_000 {
		p.keepFrame([]byte{byte(i), byte(i >> 8)}, false)
		if got := p.takeKept().data; i > 0 && !bytes.Equal(got, []byte{byte(i - 1), byte((i - 1) >> 8)}) {
			t.Fatalf("frame %d: %v", i, got)
		}
	}
	if got := cap(p.early.frames); got > 64 {
		t.Errorf("two waiting frames take a queue of %d", got)
	}
}

// While a record waits for a token, the node reads no more of that connection: its peer cannot fill the byte budget by
// being over its rate. All is delivered when tokens return.
func TestRecordsOverTheRateAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.RateBurst, l.RateRefill = 10, 10 })
		r.parent.tokens = 10
		p := r.openProven()
		const records, size = 2000, 1 << 10
		payload := strings.Repeat("x", size)
		for range 11 {
			p.send(p.message("stats", payload))
		}
		synctest.Wait() // two records wait
		var sent atomic.Int64
		p.pump.Go(func() {
			for range records - 11 {
				p.send(p.message("stats", payload))
				sent.Add(1)
			}
		})
		synctest.Wait()
		const network, once = 256 << 10, 64 << 10 // bytes in the network, and of one system call
		if got := sent.Load() * size; got > network+2*once {
			t.Errorf("%d bytes taken in without tokens, want %d at most", got-network, 2*once)
		}
		time.Sleep(records / 10 * time.Second)
		if got := len(r.delivered("stats")); got != records {
			t.Errorf("%d delivered in the end, want %d", got, records)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 0, FramesMalformed: 0})
	})
}

// Messages behind the ping in the first record would take the tokens of the address group, not those of the peer.
func TestSessionBeginsWithAPingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openSession()
		p.send(append(p.many(wire.MsgPing, 1, wire.PingPayload{}), p.many("stats", 50, 1)...)...)
		if got := p.status(); got != websocket.StatusProtocolError {
			t.Errorf("closed with %v, want 1002", got)
		}
		if got, proofs := len(r.delivered("stats")), len(reportsOf[*Verified](r)); got != 0 || proofs != 0 {
			t.Errorf("%d messages delivered, %d proofs", got, proofs)
		}
	})
}

// Several messages in more than 64 KiB end the session before any is decoded. A single message may be larger.
func TestLargeRecordHoldsOneMessage(t *testing.T) {
	for several, want := range map[bool]websocket.StatusCode{false: websocket.StatusNormalClosure, true: 1002} {
		t.Run(fmt.Sprint(several), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, sessions)
				p := r.openProven()
				messages, delivered := p.many("stats", 1, strings.Repeat("x", 100<<10)), 1
				if several {
					messages, delivered = p.many("stats", 5, strings.Repeat("x", 20<<10)), 0
				}
				p.send(messages...)
				synctest.Wait()
				if !several {
					go p.ws.Close(websocket.StatusNormalClosure, "")
				}
				if got := p.status(); got != want {
					t.Errorf("closed with %v, want %v", got, want)
				}
				if got := len(r.delivered("stats")); got != delivered {
					t.Errorf("%d messages delivered, want %d", got, delivered)
				}
			})
		})
	}
}
