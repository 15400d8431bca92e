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
	unused.Close()
	for name, closed := range map[string]chan struct{}{
		"got before": early, "got later": c.Get(0), "got later, closed before its first use": unused.Get(0),
	} {
		select {
		case <-closed:
		default:
			t.Errorf("the channel %s is open", name)
		}
	}
}
