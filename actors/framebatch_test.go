package actors

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// In any order of add, keep and take, a buffer is in one place only, and received frames keep their content.
func TestFrameBatchOwnsItsBuffers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a := &frameBatch{}
	var spare []byte
	for round := range 1000 {
		var want []byte
		for range random.IntN(maxBatchFrames) + 1 {
			if spare == nil || random.IntN(8) == 0 {
				spare = a.take()
			}
			mark := byte(random.IntN(256))
			frame := append(spare[:0], mark, mark)
			want = append(want, mark)
			if spare = a.add(frame, false); spare != nil {
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
		if len(a.frames()) != len(want) || len(a.buffers) > maxBatchFrames+1 {
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
		a.n = 0 // like done, but not for others to take
	}
}

// The kept buffers are bounded, and large buffers do not displace small ones.
func TestFrameBatchFreesLargeBuffers(t *testing.T) {
	for name, c := range map[string]struct{ sizes, want []int }{
		"one message too large": {[]int{10, maxBatchBytes, 20}, []int{10, 20}},
		"many large ones": {
			[]int{maxBatchBytes / 2, maxBatchBytes / 2, 1, maxBatchBytes / 2},
			[]int{maxBatchBytes / 2, maxBatchBytes / 2},
		},
		"small ones": {[]int{1024, 1024, 2048}, []int{1024, 1024, 2048}},
	} {
		a := &frameBatch{}
		for _, size := range c.sizes {
			a.add(make([]byte, size), false)
		}
		a.done()
		var got []int
		for _, buffer := range a.buffers {
			got = append(got, cap(buffer))
		}
		if !slices.Equal(got, c.want) || a.n != 0 {
			t.Errorf("%s: buffers of %v are kept and %d frames, want %v and none", name, got, a.n, c.want)
		}
	}
}
