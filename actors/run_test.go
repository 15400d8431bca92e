package actors

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/wire"
)

// The messages of a record are delivered in order, each once, whatever is between them: an ID twice, an answer, a
// relayed message, a malformed one and a ping.
func TestRecordIsDeliveredInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		list := p.many("stats", 60, 1)
		list[5].ID = list[3].ID
		list[17].ID = list[2].ID
		list[21].ReplyTo = "request"
		list[25].From = strings.Repeat("b", 32)
		list[40].Type = wire.MsgPing
		list[50].Payload = []byte("{")
		var want []string
		for i, msg := range list {
			if i != 5 && i != 17 && i != 50 {
				want = append(want, string(msg.Type)+" "+msg.ID)
			}
		}
		p.send(list...)
		synctest.Wait()
		var got []string
		for _, text := range r.sink.all() {
			if strings.HasPrefix(text, "stats ") || strings.HasPrefix(text, "ping ") {
				got = append(got, text)
			}
		}
		got = got[1:] // the ping that began the session
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("%d of %d delivered, number %d is not %s", len(got), len(want), i, want[i])
			}
		}
		r.want(map[Counter]uint64{MessagesReceived: 58, MessagesDuplicate: 2, FramesMalformed: 1, MessagesRateLimited: 0})
		if n := r.slot.handle.Traffic().Received; n != 58 {
			t.Errorf("the connection counts %d messages, want 58", n)
		}
	})
}

// A disconnect in the middle of a record ends the connection: the messages behind it are not entered in the dedup set,
// so that the peer can send them again.
func TestRecordEndsAtItsDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		list := p.many("stats", 30, 1)
		list[20] = p.message(wire.MsgDisconnect, wire.DisconnectPayload{Code: wire.DisconnectNormal})
		p.send(list...)
		if n := len(r.delivered("stats")); n != 20 {
			t.Errorf("%d delivered, want the 20 before the disconnect", n)
		}
		r.want(map[Counter]uint64{MessagesReceived: 22, MessagesAfterGoodbye: 9})
		r.dedup.mu.Lock()
		defer r.dedup.mu.Unlock()
		for i, msg := range list {
			if entered := r.dedup.ids[msg.ID]; entered != (i <= 20) {
				t.Errorf("message %d: entered %v", i, entered)
			}
		}
	})
}

// The cost of a record becomes that of its messages, which the budget holds until their handlers have returned.
func TestRunIsChargedUntilItsHandlersReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		in, counters := newTestInbox(&record{hook: func(*wire.Message) { <-release }})
		p := &connection{
			node: &Node{Counters: counters}, handle: &Handle{}, inbound: newBudget(1<<20, nil, nil), inbox: in,
		}
		p.inbound.used.Store(1000) // of the record
		r := run{messages: make([]wire.Message, 4), sizes: []int32{10, 20, 30, 40}}
		if left := p.deliverRun(r, 3, 1000); left != 1000-60-3*messageOverhead {
			t.Errorf("%d bytes left of the record", left)
		}
		if left := p.deliverRun(run{r.messages[3:], r.sizes[3:], nil}, 1, 100); left != 0 {
			t.Errorf("%d bytes left where the messages cost more", left)
		}
		synctest.Wait()
		const charged = 1000 + 40 + messageOverhead - 100
		if n := p.inbound.used.Load(); n != charged {
			t.Errorf("%d bytes held by waiting messages, want %d", n, charged)
		}
		close(release)
		synctest.Wait()
		if n := p.inbound.used.Load(); n != charged-100-4*messageOverhead {
			t.Errorf("%d bytes held at the end", n)
		}
	})
}
