package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// A result whose batch has entries that wait is reported 1 ms later, for each batch. Results of a member that has left
// are not reported.
func TestResultsAreReportedAfterOneMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tick = 100 * time.Microsecond
		r := newForwarderRig(t)
		kept := r.keepDeliveries()
		one := entry{mode: supervisor.ForwardAnswered, endless: true, peer: "peer", form: formOf(t, r.engine)}
		begin := func(from string, id uint64) {
			t.Helper()
			b := binary.AppendUvarint(head{kindBatch, from, 1}.appendTo(nil), id)
			r.onForwarded(one.appendTo(one.appendTo(b)))
			(*kept)[len(*kept)-2].done(supervisor.Forwarded{})
		}
		got, began := "", time.Now()
		for range 30 {
			switch time.Since(began) {
			case 0:
				begin("a", 1)
				begin("b", 1)
			case 4 * tick:
				begin("a", 2)
				begin("a", 3)
			case 7 * tick:
				begin("a", 4)
				r.with("b").in.end(0)
			case 12 * tick: // its second result is reported on its own
				begin("a", 5)
			case 13 * tick:
				(*kept)[len(*kept)-1].done(supervisor.Forwarded{})
			}
			synctest.Wait()
			for _, body := range r.bus.to("a", "ack") {
				a, err := decodeAck(body)
				if err != nil {
					t.Fatal(err)
				}
				got += fmt.Sprintf(" %d:%d", time.Since(began)/tick, a.batch)
			}
			if n := len(r.bus.to("b", "ack")); n != 0 {
				t.Errorf("%d acks to a member that has left", n)
			}
			r.bus.forget()
			time.Sleep(tick)
		}
		if want := " 10:1 13:5 14:2 14:3 17:4"; got != want {
			t.Errorf("acks%s, want%s", got, want)
		}
		in := r.with("a").in
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.timing || in.due != nil {
			t.Errorf("without a due result: timing %v, %d entries", in.timing, len(in.due))
		}
	})
}

// A message without an ack ends 1.5 s after it was sent, as unconfirmed.
func TestSilentMemberEndsMessagesAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		msg, err := wire.NewMessage("test", "node", "peer", nil)
		if err != nil {
			t.Fatal(err)
		}
		began, ended := time.Now(), make(chan supervisor.Forwarded, 1)
		if _, err := r.engine.Forward(supervisor.Forwarding{
			Peer: "peer", Message: msg, Mode: supervisor.ForwardAnswered, Endless: true,
		}, func(f supervisor.Forwarded) { ended <- f }); err != nil {
			t.Fatal(err)
		}
		result := <-ended
		if took := time.Since(began); took != silentAfter || !errors.Is(result.Err, errHomeSilent) {
			t.Errorf("%v after %v, want %v after %v", result.Err, took, errHomeSilent, silentAfter)
		}
	})
}
