package admin

import (
	"testing"
	"time"
)

// The oldest stream ends for a new one after its stay, not before, and each stream once.
func TestViewersEvictTheOldestAfterItsStay(t *testing.T) {
	v, ended, start := &viewers{limit: 2, stay: time.Minute}, make(map[string]int), time.Unix(1000, 0)
	enter := func(name string, after time.Duration) *seat {
		return v.enter(start.Add(after), func() { ended[name]++ })
	}
	a, b := enter("a", 0), enter("b", time.Second)
	if a == nil || b == nil || enter("c", time.Minute-1) != nil || len(ended) != 0 {
		t.Fatalf("%v, %v, then one more within the stay; ended %v", a, b, ended)
	}
	c := enter("c", time.Minute)
	if c == nil || ended["a"] != 1 || len(ended) != 1 {
		t.Fatalf("after the stay: %v, ended %v, want a", c, ended)
	}
	v.leave(a)
	if enter("d", time.Minute) != nil {
		t.Error("the end of an evicted stream frees a second place")
	}
	v.leave(b)
	if enter("d", time.Minute) == nil || len(ended) != 1 {
		t.Errorf("a free place: ended %v", ended)
	}
}

// Streams that are open and not read give their places to new viewers, which get their data.
func TestUnreadStreamsAreReplaced(t *testing.T) {
	server := serve(t, &fakeNode{})
	server.streams.viewers.stay = 0
	for range maxViewers { // none of them reads
		openStream(t, server)
	}
	for range maxViewers + 1 {
		openStream(t, server).next("hello", nil)
	}
	server.streams.viewers.mu.Lock()
	defer server.streams.viewers.mu.Unlock()
	if n := len(server.streams.viewers.open); n > maxViewers {
		t.Errorf("%d places are taken, want %d at most", n, maxViewers)
	}
}
