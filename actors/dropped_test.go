package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// noted is a Dropped event with the time of its delivery.
type noted struct {
	reason Counter
	count  int
	at     time.Duration
}

// dropSink records Dropped events and blocks on demand.
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

func (s *dropSink) total() (sum int) {
	for _, n := range s.got {
		sum += n.count
	}
	return sum
}

// dropConn returns a connection of a verified peer.
func dropConn(r *rig, sink *dropSink, peerID string) *connection {
	return &connection{
		handle: &Handle{},
		node:   r.node, proof: proof{strength: Unmarked}, peerID: peerID,
		inbox: NewInbox(sink, r.node.Counters, r.node.LimitedLog, r.node.Writers),
	}
}

// accounts returns the number of peers in the reports.
func (r *rig) accounts() int {
	r.node.Drops.mu.Lock()
	defer r.node.Drops.mu.Unlock()
	return len(r.node.Drops.peers)
}

// Drops of two connections of a peer are added up: one event per second and reason, none lost, the last one a second
// after the one before, even if the connections have ended by then.
func TestDropReportsAreSentOncePerSecondPeerAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sink := &dropSink{start: time.Now()}
		one, two := dropConn(r, sink, "peer"), dropConn(r, sink, "peer")
		for range 5 {
			one.drop(MessagesRateLimited, "x")
			two.drop(MessagesRateLimited, "x")
		}
		two.drop(MessagesStale, "x")
		time.Sleep(1300 * time.Millisecond)
		synctest.Wait()
		two.drop(MessagesRateLimited, "x")
		time.Sleep(time.Second)
		synctest.Wait()
		want := []noted{
			{MessagesRateLimited, 1, 0},
			{MessagesRateLimited, 9, time.Second},
			{MessagesStale, 1, time.Second},
			{MessagesRateLimited, 1, 2 * time.Second},
		}
		if !slices.Equal(sink.got, want) {
			t.Errorf("%v, want %v", sink.got, want)
		}
		if r.accounts() != 1 {
			t.Error("no account within a second of an event: the next drop would be reported too early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if r.accounts() != 0 {
			t.Error("an account is left a second after the last event")
		}
	})
}

// At most eight events of a peer wait for a blocked handler; further drops are added up.
func TestDropReportsAreLimitedForABlockedHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sink := &dropSink{start: time.Now(), gate: make(chan struct{})}
		p := dropConn(r, sink, "peer")
		for range 100 {
			p.drop(MessagesStale, "x")
			time.Sleep(time.Second)
			synctest.Wait()
		}
		r.node.Drops.mu.Lock()
		if n := r.node.Drops.peers["peer"].waiting.Load(); n != maxDroppedWaiting {
			t.Errorf("%d events wait, want %d", n, maxDroppedWaiting)
		}
		r.node.Drops.mu.Unlock()
		close(sink.gate)
		time.Sleep(time.Second)
		synctest.Wait()
		if total := sink.total(); total != 100 {
			t.Errorf("%d drops reported, want 100", total)
		}
	})
}

// Closed reports send no events, neither for pending drops nor for new ones.
func TestDropReportsAreSilentOnceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sink := &dropSink{start: time.Now()}
		p := dropConn(r, sink, "peer")
		p.drop(MessagesStale, "x")
		p.drop(MessagesStale, "x")
		r.node.Drops.Close()
		p.drop(MessagesRateLimited, "x")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if total := sink.total(); total != 1 {
			t.Errorf("%d drops reported, want the one before the end", total)
		}
	})
}

// Drops of an unverified peer are not reported. Those of a verified peer are, also after the end of the connection.
func TestDropsAreReportedFromTheProofOn(t *testing.T) {
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
		r.slot.handle.Close(wire.DisconnectNormal, "bye")
		p.lastMessage()
		if got := r.sink.drops(); got != 1 {
			t.Errorf("%d drops are reported at once, want 1", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := r.sink.drops(); got != 3 {
			t.Errorf("%d drops are reported, want the 3 of the verified peer", got)
		}
	})
}
