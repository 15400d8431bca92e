package actors

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// Queued messages share records of up to 64 KiB, in order; a larger message gets its own record.
func TestWriterFillsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.PaceOff = true })
		p := r.openProven()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		fill := strings.Repeat("x", memnet.Capacity) // the writer is blocked inside this one
		if err := r.post("blocks", len(fill)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var want []string
		for i := range 200 {
			size := 1000
			if i == 100 {
				size = session.MaxRecord + 1
			}
			id := fmt.Sprint(i)
			if err := r.post(id, size); err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
		}
		synctest.Wait()
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		var got []string
		largest := 0
		for i, record := range p.records[3:] { // behind ping, pong and the one that blocks
			for _, msg := range record {
				got = append(got, msg.ID)
			}
			if len(record) > 1 {
				largest = max(largest, len(p.raw[3+i]))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("arrived %v", got)
		}
		if n := len(p.records) - 3; n != 5 || largest > session.MaxRecord+session.Overhead {
			t.Errorf("%d records, the largest with several messages has %d bytes; want 5 and 64 KiB at most", n, largest)
		}
	})
}

func TestInOneRecordFollowsTheLimit(t *testing.T) {
	sized := func(sizes ...int) (frames []*frame) {
		for _, size := range sizes {
			frames = append(frames, &frame{data: make([]byte, recordHead+size)})
		}
		return frames
	}
	closing := append(sized(1, 2), &frame{})
	for name, c := range map[string]struct {
		frames []*frame
		want   int
	}{
		"one":            {sized(5), 1},
		"one too large":  {sized(session.MaxRecord + 1), 1},
		"exactly full":   {sized(session.MaxRecord-1, 1), 2},
		"one byte more":  {sized(session.MaxRecord-1, 2), 1},
		"large behind":   {sized(1, session.MaxRecord, 1), 1},
		"close behind":   {closing, 2},
		"text behind":    {append(sized(1), &frame{data: []byte("x"), text: true}), 1},
		"many small":     {sized(make([]int, 1000)...), 1000},
		"large in front": {sized(math.MaxUint16*2, 1), 1},
	} {
		if name == "many small" {
			for _, f := range c.frames {
				f.data = append(f.data, 1)
			}
		}
		if got := inOneRecord(c.frames); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// resting reports whether the two sides of the connection's session have no cipher and no decoder.
func (r *rig) resting() (opening, sending bool) {
	synctest.Wait()
	c, ok := r.slot.handle.outbox.codec.(*sessionCodec)
	if !ok {
		r.t.Fatal("no session")
	}
	atRest := func(side any) bool {
		return reflect.ValueOf(side).Field(0).Elem().FieldByName("direction").FieldByName("cipher").IsNil()
	}
	r.slot.handle.outbox.mu.Lock()
	defer r.slot.handle.outbox.mu.Unlock()
	opening, sending = atRest(c.opener) && c.messages == nil, atRest(c.sealer)
	r.tell(&probePong{}) // without effect: it orders these reads before the actor's next write
	return opening, sending
}

// Pings of an idle connection leave no cipher and no decoder behind. Messages keep those of their direction until an
// interval has passed without one.
func TestIdleSessionHoldsNoCipher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		want := func(when string, opening, sending bool) {
			t.Helper()
			if o, s := r.resting(); o != opening || s != sending {
				t.Errorf("%s: at rest: opening %v, sending %v; want %v and %v", when, o, s, opening, sending)
			}
		}
		want("opened", true, true)
		for range 3 {
			time.Sleep(30 * time.Second)
			p.send(p.message(wire.MsgPing, wire.PingPayload{}))
			want("after pings", true, true)
		}
		p.send(p.message("stats", 1))
		want("a message arrived", false, true)
		if err := r.post("one", 1); err != nil {
			t.Fatal(err)
		}
		want("and one was sent", false, false)
		p.send(p.message(wire.MsgPing, wire.PingPayload{}))
		want("a ping later", false, false)
		for range 2 {
			time.Sleep(30 * time.Second)
			p.send(p.message(wire.MsgPing, wire.PingPayload{}))
		}
		want("idle again", true, true)
		if err := r.post("two", 1); err != nil {
			t.Error(err)
		}
		if n := len(p.got()); n < 8 {
			t.Errorf("%d records", n)
		}
	})
}

// sinkDouble counts the WebSocket messages.
type sinkDouble struct{ writes int }

func (s *sinkDouble) Write([]byte, bool) error {
	s.writes++
	return nil
}

// The first record holds the ping alone, even if messages wait behind it.
func TestFirstRecordHoldsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.connectSession()
		p.shake(nil)
		c := &sessionCodec{node: r.node, self: "a", peer: "b", sealer: p.sealer, opener: p.opener}
		var sink sinkDouble
		frames := func() (list []*frame) {
			for range 3 {
				list = append(list, &frame{data: []byte{0, 1, 2}})
			}
			return list
		}
		for i, want := range []int{1, 3} {
			if n, _, err := c.send(&sink, frames()); n != want || err != nil || sink.writes != i+1 {
				t.Errorf("record %d holds %d messages, %v, %d writes; want %d", i+1, n, err, sink.writes, want)
			}
		}
	})
}
