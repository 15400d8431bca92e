package actors

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// Each record takes a token. Without one it waits, and the records behind it with it: none is dropped unopened.
func TestRecordsWaitForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.RateBurst, l.RateRefill = 5, 1 })
		r.parent.tokens = 5
		p := r.openProven()
		began := time.Now()
		for i := range 10 {
			p.send(p.message("stats", i))
		}
		p.sendFrame(p.sealer.Rekey(nil, 0))
		p.send(p.message("logs", "last"))
		if n := len(r.delivered("stats")); n != 4 { // the ping took one of five
			t.Errorf("%d of 10 at once, want 4", n)
		}
		for range 200 {
			if len(r.delivered("logs")) > 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began).Round(time.Second); took != 8*time.Second || len(r.delivered("stats")) != 10 {
			t.Errorf("%d delivered within %v, want 10 within 8 s: 6 records, a rekey and the last",
				len(r.delivered("stats")), took)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 0, MessagesReceived: 12})
	})
}

// Each message takes a token. Those of a record beyond the tokens are dropped and counted.
func TestMessagesOfARecordTakeTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.RateBurst, l.RateRefill = 5, 1 })
		p := r.openProven()
		p.send(p.many("stats", 100, 1)...)
		if n := len(r.delivered("stats")); n != 4 {
			t.Errorf("%d of 100 delivered, want 4", n)
		}
		p.send(p.message("logs", 1))
		if n := len(r.delivered("logs")); n != 0 {
			t.Errorf("%d delivered without a token", n)
		}
		time.Sleep(time.Second + time.Millisecond)
		if n := len(r.delivered("logs")); n != 1 {
			t.Errorf("%d delivered with one, want 1", n)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 96})
	})
}

// Records that wait when the peer closes are opened as far as there are tokens; the rest is counted. The end itself may
// wait behind records that are still in the socket: while a record waits for a token, no more are read.
func TestRecordsThatWaitAreCountedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.RateBurst, l.RateRefill = 5, 1 })
		p := r.openProven()
		for i := range 10 {
			p.send(p.message("stats", i))
		}
		if n := len(r.delivered("stats")); n != 4 { // the ping took one of five
			t.Errorf("%d of 10 at once, want 4", n)
		}
		p.ws.CloseNow()
		time.Sleep(7 * time.Second) // longer than the tokens for the rest take
		if !r.stopped() {
			t.Error("the connection has not stopped")
		}
		delivered := len(r.delivered("stats"))
		r.want(map[Counter]uint64{
			MessagesReceived: uint64(1 + delivered), MessagesRateLimited: uint64(10 - delivered), MessagesAfterGoodbye: 0,
		})
	})
}

// While a handler is blocked, the messages of small records do not fill the memory: the node holds about its budget,
// reads no more, and keeps the connection. Afterwards everything is delivered.
func TestBlockedHandlerHoldsBackRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, unlimited, func(l *Limits) { l.InboundBytes = 100_000 })
		p := r.openProven()
		release := make(chan struct{})
		r.sink.hook = func(*wire.Message) { <-release }
		const count = 100 * 200
		p.pump.Go(func() {
			for range 100 {
				p.send(p.many("stats", 200, 1)...) // 28 bytes each
			}
		})
		time.Sleep(5 * time.Minute) // longer than the silence limit
		if received := r.node.Counters.Get(MessagesReceived); received > 2000 {
			t.Errorf("%d messages in memory with a budget of 100,000 bytes", received)
		}
		if len(reportsOf[*Ended](r)) != 0 {
			t.Fatalf("ended %+v", r.ended())
		}
		close(release)
		if n := len(r.delivered("stats")); n != count {
			t.Errorf("%d delivered, want %d", n, count)
		}
	})
}

// The limit of a message is exact in both directions, and more than one message of that size fits no record.
func TestMaxMessageSizeIsExactInASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.MaxMessageSize = 100_000 })
		p := r.openProven()
		head := len(mustAppend(t, p.message("stats", ""))) - 1 // the length takes one byte here
		space := 100_000 - head
		for extra, want := range []error{nil, ErrTooLarge} {
			msg := p.message("stats", strings.Repeat("x", space+extra))
			msg.From, msg.To = msg.To, msg.From
			if err := r.slot.handle.Send(t.Context(), msg); err != want {
				t.Errorf("%d bytes: %v, want %v", 100_000+extra, err, want)
			}
		}
		p.send(p.message("logs", strings.Repeat("x", space)))
		p.send(p.message("logs", strings.Repeat("x", space+1)))
		if n := len(r.delivered("logs")); n != 1 {
			t.Errorf("%d delivered, want the one of the exact size", n)
		}
		r.want(map[Counter]uint64{FramesMalformed: 1})
		if len(p.got()) != 3 {
			t.Errorf("%d records, want ping, pong and the message", len(p.got()))
		}
		p.sendFrame(make([]byte, 100_000+recordOverhead+1))
		if got := p.status(); got != 1009 {
			t.Errorf("a record above the WebSocket limit: closed with %v, want 1009", got)
		}
	})
}

// mustAppend returns the form of a message with its length, from and to as codes.
func mustAppend(t *testing.T, msg *wire.Message) []byte {
	data, err := wire.AppendMessage(nil, msg, msg.From, msg.To)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUntilIsTheTimeOfTheNextToken(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewPeerRateLimiter(2, 4, now)
	for i, want := range []time.Duration{0, 0, 250*time.Millisecond + 1} {
		if got := l.Until(now); got != want {
			t.Errorf("after %d: %v, want %v", i, got, want)
		}
		l.Take(now)
	}
	if later := now.Add(l.Until(now)); !l.Take(later) {
		t.Error("no token at that time")
	}
	if got := NewPeerRateLimiter(0, 0, now).Until(now); got != 0 {
		t.Errorf("without a limit: %v", got)
	}
}
