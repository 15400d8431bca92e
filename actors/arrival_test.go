package actors

import (
	"math/rand/v2"
	"testing"
)

// Whatever is added, kept and taken, a buffer is in one place only, and what came stays as it came.
func TestArrivalOwnsItsBuffers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a := &arrival{}
	var spare []byte
	for round := range 1000 {
		var want []byte
		for range random.IntN(mostTogether) + 1 {
			if spare == nil || random.IntN(8) == 0 {
				spare = a.take()
			}
			mark := byte(random.IntN(256))
			frame := append(spare[:0], mark, mark)
			want = append(want, mark)
			if spare = a.add(frame); spare != nil {
				spare = spare[:1]
				spare[0] = ^mark // to be seen if it were still in use
			}
		}
		for i, frame := range a.frames() {
			if len(frame) != 2 || frame[0] != want[i] || frame[1] != want[i] {
				t.Fatalf("round %d: frame %d is %x, want twice %x", round, i, frame, want[i])
			}
		}
		a.keep(spare)
		spare = nil
		if len(a.frames()) != len(want) || len(a.buffers) > mostTogether+1 {
			t.Fatalf("round %d: %d frames of %d, %d buffers", round, len(a.frames()), len(want), len(a.buffers))
		}
		places := map[*byte]bool{}
		for _, buffer := range a.buffers {
			place := &buffer[:1][0]
			if places[place] {
				t.Fatalf("round %d: a buffer is in two places", round)
			}
			places[place] = true
		}
		a.n = 0 // as done does it, but not for others to take
	}
}

// A peer's largest messages are let go.
func TestArrivalForgetsLargeBuffers(t *testing.T) {
	a := &arrival{}
	for _, size := range []int{10, maxPooled + 1, 20} {
		a.add(make([]byte, size))
	}
	a.done()
	if len(a.buffers) != 2 || cap(a.buffers[0]) > maxPooled || cap(a.buffers[1]) > maxPooled {
		t.Errorf("%d buffers are kept of three, one of them too large", len(a.buffers))
	}
}
