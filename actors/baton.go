package actors

import "sync/atomic"

// baton is a lock that is kept through a write to the operating system. A mutex would do but for virtual time: there a
// goroutine that waits for a mutex counts as busy, and the write that it waits for would never reach its deadline. A
// channel alone would do, too, and cost several times as much where nobody waits.
type baton struct {
	wanted atomic.Int32  // who has it, and who waits for it
	passed chan struct{} // from one to the next
}

func newBaton() baton { return baton{passed: make(chan struct{}, 1)} }

func (b *baton) take() {
	if b.wanted.Add(1) > 1 {
		<-b.passed
	}
}

func (b *baton) give() {
	if b.wanted.Add(-1) > 0 {
		b.passed <- struct{}{} // has room: the last one was taken by who gives now
	}
}
