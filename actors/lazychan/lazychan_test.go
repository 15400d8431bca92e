package lazychan

import (
	"sync"
	"testing"
)

func TestConcurrentFirstCallsGetOneChannel(t *testing.T) {
	for range 100 {
		var c Chan
		var group sync.WaitGroup
		got := make([]chan struct{}, 8)
		for i := range got {
			group.Go(func() { got[i] = c.Get(1) })
		}
		group.Wait()
		for _, other := range got {
			if other != got[0] || cap(other) != 1 {
				t.Fatalf("channels %v and %v, with a buffer of %d", got[0], other, cap(other))
			}
		}
	}
}

func TestCloseReachesEarlierAndLaterReaders(t *testing.T) {
	var c, unused Chan
	early := c.Get(0)
	c.Close()
	<-early
	<-c.Get(0)
	unused.Close()
	<-unused.Get(0)
}
