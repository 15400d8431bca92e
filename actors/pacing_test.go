package actors

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/wire"
)

// Idle connections are numerous, so the pacing state of each is bounded. The announced feature takes 32 bytes more.
func TestPacingStateIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(pacing{}) + unsafe.Sizeof(SendBucket{}); size > 56 {
		t.Errorf("%d bytes for a connection that paces", size)
	}
}

func TestSendBucketKeepsTheMargin(t *testing.T) {
	limit := sendLimit{burst: 10, milli: 2000}
	b := &SendBucket{tokens: 10}
	taken := func() (n int) {
		for b.take(marginTokens) {
			n++
		}
		return n
	}
	if got := taken(); got != 9 {
		t.Errorf("%d at once from a full bucket of 10, want 9", got)
	}
	b.advance(limit, marginRefill, time.Second)
	if got := taken(); got != 1 { // 1.96 have returned
		t.Errorf("%d after a second at 2 a second, want 1", got)
	}
	if got, want := b.wait(limit), 20408163*time.Nanosecond+1; got != want { // 0.04 of a token at 1.96 a second
		t.Errorf("the next one after %v, want %v", got, want)
	}
	for range 50 {
		b.owe(limit)
	}
	if b.tokens != -10 {
		t.Errorf("%v tokens after 50 pings, want a debt of one burst", b.tokens)
	}
	b.advance(limit, marginRefill, time.Hour)
	b.advance(limit, marginRefill, time.Minute) // a time before the last one changes nothing
	if b.tokens != 10 || b.at != time.Hour {
		t.Errorf("%v tokens at %v after an hour, want 10", b.tokens, b.at)
	}
}

// pacedBox is an outbox with pacing in front of a peer's limiter, which takes a token for each written frame.
type pacedBox struct {
	*boxed
	handle  *Handle
	limiter *PeerRateLimiter
	frames  []string
	dropped int // application messages
}

func newPacedBox(rate wire.Rate, off bool) *pacedBox {
	b := &pacedBox{boxed: newBoxed(1<<20, 1<<30)}
	b.node.Born, b.node.Limits.PaceOff, b.node.Limits.WriteTimeout = time.Now(), off, 10*time.Second
	b.node.LimitedLog = NewLimitedLogger(nil)
	b.limiter = NewPeerRateLimiter(float64(rate.Burst), rate.Refill, time.Now())
	b.handle = &Handle{node: b.node}
	b.handle.outbox.node = b.node
	b.handle.outbox.host = b
	b.handle.outbox.work = b.write
	b.outbox = &b.handle.outbox
	b.handle.pace(rate)
	return b
}

// write is the writer of the outbox: it records each frame instead of writing it.
func (b *pacedBox) write() {
	for {
		b.outbox.mu.Lock()
		taken := b.outbox.waiting
		b.outbox.waiting = nil
		if taken = b.outbox.pace(taken); taken == nil {
			b.outbox.running = false
			b.outbox.mu.Unlock()
			return
		}
		b.outbox.mu.Unlock()
		for _, f := range taken.items {
			passed := b.limiter.Take(time.Now())
			if !passed && f.paced() {
				b.dropped++
			}
			b.frames = append(b.frames, string(f.data))
		}
		b.complete(taken.items, 0, nil)
	}
}

// drive runs the started writers.
func (b *pacedBox) drive() {
	for {
		b.outbox.mu.Lock()
		if len(b.started) == 0 {
			b.outbox.mu.Unlock()
			return
		}
		run := b.started[0]
		b.started = b.started[1:]
		b.outbox.mu.Unlock()
		run()
	}
}

func (b *pacedBox) push(text string, paced bool) {
	f := &frame{data: []byte(text)}
	if paced {
		_ = b.post(f, len(text))
	} else {
		b.outbox.push(f)
	}
	b.drive()
}

// For any times of sending, the peer's limiter drops no application message, none is lost, and their order is kept.
func TestPacingNeverExceedsTheAnnouncedLimit(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			rate := wire.Rate{Burst: 2 + random.IntN(60), Refill: float64(1+random.IntN(100_000)) / 1000}
			b := newPacedBox(rate, false)
			for range rate.Burst / 2 {
				b.limiter.Take(time.Now()) // by the last process of this node
			}
			pushed := 0
			for range 200 {
				switch random.IntN(10) {
				case 0:
					b.push("own", false)
					time.Sleep(time.Duration(2 * float64(time.Second) / rate.Refill)) // or pings alone exceed the limit
				case 1, 2:
					time.Sleep(time.Duration(random.Float64() * 3 * float64(time.Second) / rate.Refill))
				case 3:
					time.Sleep(time.Duration(random.Float64() * float64(rate.Burst) * float64(time.Second) / rate.Refill))
				default:
					b.push(string(rune('A'+pushed%50)), true)
					pushed++
				}
				b.drive()
			}
			for messages, _ := b.depth(); messages > 0; messages, _ = b.depth() {
				time.Sleep(time.Duration(float64(time.Second) / rate.Refill))
				b.drive()
			}
			next := 0
			for _, text := range b.frames {
				if text == "own" {
					continue
				}
				if want := string(rune('A' + next%50)); text != want {
					t.Fatalf("seed %d: frame %d is %q, want %q", seed, next, text, want)
				}
				next++
			}
			if next != pushed || b.dropped != 0 {
				t.Errorf("seed %d, %+v: %d of %d written, the peer dropped %d", seed, rate, next, pushed, b.dropped)
			}
		})
	}
}

// Messages of the connection itself and pings of the application overtake waiting messages and use their tokens.
func TestPacingHoldsNoPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPacedBox(wire.Rate{Burst: 4, Refill: 1}, false) // starts with 2: one may go
		b.push("a", true)
		b.push("b", true)
		b.push("own", false)
		_ = b.post(&frame{data: []byte("ping"), unpaced: true}, 4)
		b.drive()
		if got := len(b.frames); got != 3 || b.frames[1] != "own" || b.frames[2] != "ping" {
			t.Fatalf("written %q, want a, own and ping", b.frames)
		}
		// One token was left and two are owed: b needs two, so three must return at 0.98 per second.
		time.Sleep(3 * time.Second)
		b.drive()
		if got := len(b.frames); got != 3 {
			t.Errorf("written %q after 3 s", b.frames)
		}
		time.Sleep(100 * time.Millisecond)
		b.drive()
		if got := len(b.frames); got != 4 {
			t.Errorf("written %q after 3.1 s, want b too", b.frames)
		}
		if b.stalled(time.Nanosecond) {
			t.Error("waiting for tokens is a stall")
		}
	})
}

// A handshake frame and a close without a message use no token.
func TestPacingIgnoresTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPacedBox(wire.Rate{Burst: 100, Refill: 1}, false)
		b.outbox.push(&frame{data: []byte("ack"), text: true})
		b.outbox.push(&frame{closeWith: &socket.CloseStatus{}})
		b.drive()
		if got := b.handle.SendBucket().tokens; got != 50 {
			t.Errorf("%v tokens left, want all 50", got)
		}
	})
}

// A closed outbox fails the messages that wait for tokens and starts no writer afterwards.
func TestCloseFailsHeldMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPacedBox(wire.Rate{Burst: 2, Refill: 1}, false)
		result := make(resultChan, 1)
		_ = b.post(&frame{data: []byte("a"), result: result}, 1)
		b.drive()
		b.close(ErrClosed)
		if err := <-result; err != ErrClosed {
			t.Errorf("the sender got %v", err)
		}
		b.wantDepth(t, 0, 0)
		time.Sleep(time.Minute)
		if len(b.started) != 0 {
			t.Error("a writer was started after the close")
		}
	})
}

// A peer without an announcement, such as a deployed node, is paced to the protocol's limit, and its pings are
// answered meanwhile.
func TestPacingUsesProtocolLimitWithoutAnnouncement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		for range 200 {
			if err := r.slot.handle.Post(p.message("stats", nil)); err != nil {
				t.Fatal(err)
			}
		}
		const atOnce = 50 - 1 // the token that stays
		if got := len(p.got("stats")); got != atOnce {
			t.Errorf("%d arrived at once, want %d", got, atOnce)
		}
		p.send(wire.MsgPing, nil)
		if got := len(p.got(wire.MsgPong)); got != 1 {
			t.Errorf("%d pongs at once, want 1", got)
		}
		time.Sleep((200-atOnce+1)*time.Second/49 - time.Millisecond) // a pong uses a token, too
		if got := len(p.got("stats")); got != 199 {
			t.Errorf("%d arrived before the last one is due, want 199", got)
		}
		time.Sleep(2 * time.Millisecond)
		if got := len(p.got("stats")); got != 200 {
			t.Errorf("%d arrived, want 200", got)
		}
	})
}
