package socket

import (
	"sync/atomic"

	"github.com/Snider/go-p2p/actors/lazychan"
)

// chanMutex is a mutex that is held during a write to the operating system. A goroutine that waits for it is durably
// blocked in the sense of testing/synctest, so virtual time can reach the deadline of that write; a goroutine that
// waits for a sync.Mutex is not. The counter makes an uncontended lock as cheap as a sync.Mutex. The zero value is
// unlocked.
type chanMutex struct {
	users  atomic.Int32  // the holder and the goroutines that wait
	passed lazychan.Chan // hands the lock from the holder to one waiting goroutine
}

func (m *chanMutex) lock() {
	if m.users.Add(1) > 1 {
		<-m.passed.Get(1)
	}
}

func (m *chanMutex) unlock() {
	if m.users.Add(-1) > 0 {
		m.passed.Get(1) <- struct{}{} // never blocks: the holder has emptied the channel, or was first
	}
}
