package dedup

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A larger limit is in force at once, a smaller one when the set is at most half full by it.
func TestResizeShrinksWhenHalfFull(t *testing.T) {
	now := time.Now()
	d, err := New(time.Minute, 50, 100, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if got := d.For("a").Seen(numbered(i, now), now); got != actors.Fresh {
				t.Fatalf("message %d: %v", i, got)
			}
		}
	}
	want := func(limit int) {
		t.Helper()
		if got, _ := d.Limits(); got != limit {
			t.Errorf("limit %d, want %d", got, limit)
		}
	}
	fill(0, 40)
	d.Resize(39, 50)
	want(50)
	d.Resize(40, 50)
	want(40)
	d.Resize(80, 80)
	want(80)
	fill(40, 160)
	if got := d.For("a").Seen(numbered(160, now), now); got != actors.Full {
		t.Errorf("beyond the limit: %v", got)
	}
	d.Resize(10, 80)
	want(80)
	for range 2 {
		now = now.Add(time.Minute)
		d.Rotate(now)
	}
	d.Resize(10, 80)
	want(10)
}

// A peer has the share that was in force when its latest connection began to use the set.
func TestResizeShareHoldsForTheNextConnection(t *testing.T) {
	now := time.Now()
	d, err := New(time.Minute, 50, 10, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := d.Join("other", "")
	for i := range 80 {
		other.Seen(numbered(i, now), now) // the set is half full
	}
	held := func(a *Account, from int) (held int) {
		for i := from; i < from+100; i++ {
			if a.Seen(numbered(i, now), now) == actors.Fresh {
				held++
			}
		}
		return held
	}
	first := d.Join("a", "")
	if got := held(first, 1000); got != 20 {
		t.Errorf("%d messages within the share, want 20", got)
	}
	d.Resize(50, 15)
	if got := held(first, 2000); got != 0 {
		t.Errorf("%d more on the old connection, want 0", got)
	}
	if got := held(d.Join("a", ""), 3000); got != 10 {
		t.Errorf("%d more on the next connection, want 10", got)
	}
}

func numbered(i int, now time.Time) *wire.Message {
	return &wire.Message{ID: fmt.Sprint(i), Timestamp: now}
}
