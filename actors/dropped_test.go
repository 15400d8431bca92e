package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// noted is a Dropped event and when it was taken.
type noted struct {
	reason Counter
	count  int
	at     time.Duration
}

// dropSink notes Dropped events, and can be made to block.
type dropSink struct {
	start time.Time
	got   []noted
	gate  chan struct{} // nil: never blocks
}

func (s *dropSink) Do(event any) {
	if s.gate != nil {
		<-s.gate
	}
	if d, ok := event.(*Dropped); ok {
		s.got = append(s.got, noted{d.Reason, d.Count, time.Since(s.start)})
	}
}

func (s *dropSink) Message(*wire.Message) {}

func dropPeer(r *rig, sink *dropSink) *Peer {
	return &Peer{
		node: r.node, proof: proof{strength: Unmarked}, handle: &Handle{node: r.node, pid: r.pid},
		delivery: NewDelivery(sink, r.node.Counters, r.node.Samples, r.node.Writers),
	}
}

// Drops are added up: one event per second and reason, none lost, the rest at the end of the connection.
func TestDropsAreReportedOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sink := &dropSink{start: time.Now()}
		p := dropPeer(r, sink)
		for range 10 {
			p.drop(MessagesRateLimited, "x")
		}
		p.drop(MessagesStale, "x")
		time.Sleep(time.Second)
		p.tellDrops(false) // as the timer has it
		time.Sleep(300 * time.Millisecond)
		p.drop(MessagesRateLimited, "x")
		p.drop(MessagesRateLimited, "x")
		p.tellDrops(true)
		synctest.Wait()
		want := []noted{
			{MessagesRateLimited, 1, 0},
			{MessagesStale, 1, time.Second},
			{MessagesRateLimited, 9, time.Second},
			{MessagesRateLimited, 2, 1300 * time.Millisecond},
		}
		total := 0
		for _, n := range sink.got {
			total += n.count
		}
		if len(sink.got) != len(want) || total != 13 {
			t.Errorf("%v, want %v in any order", sink.got, want)
		}
		if p.drops.timer != nil {
			t.Error("a timer is left")
		}
	})
}

// A handler that blocks holds up at most eight events of a connection; the drops are added up meanwhile.
func TestDropsOfABlockedHandlerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sink := &dropSink{start: time.Now(), gate: make(chan struct{})}
		p := dropPeer(r, sink)
		for range 100 {
			p.drop(MessagesStale, "x")
			time.Sleep(time.Second)
			p.tellDrops(false)
		}
		if n := p.drops.waiting.Load(); n > maxDroppedWaiting {
			t.Errorf("%d events wait", n)
		}
		close(sink.gate)
		synctest.Wait()
		p.tellDrops(true)
		synctest.Wait()
		total := 0
		for _, n := range sink.got {
			total += n.count
		}
		if total != 100 {
			t.Errorf("%d drops reported, want 100", total)
		}
	})
}

// Drops of an unverified peer are no event; those of a verified one come before the end.
func TestDropsOfAPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.open()
		p.sendFrame([]byte("junk"))
		synctest.Wait()
		p.send("hello", nil)
		synctest.Wait()
		for range 3 {
			p.sendFrame([]byte("junk"))
		}
		synctest.Wait()
		r.want(map[Counter]uint64{FramesMalformed: 4})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.slot.handle.Close(wire.DisconnectNormal, "bye")
		p.goodbye()
		if got := r.sink.drops(); got != 3 {
			t.Errorf("%d drops are reported, want the 3 of the verified peer", got)
		}
	})
}
