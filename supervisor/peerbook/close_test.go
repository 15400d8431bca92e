package peerbook

import (
	"path/filepath"
	"sync"
	"testing"
)

// Concurrent calls of Close close the file once. Each of them returns without an error.
func TestBookClosesOnceForConcurrentCalls(t *testing.T) {
	for range 20 {
		book, err := Open(filepath.Join(t.TempDir(), "peers.db"))
		if err != nil {
			t.Fatal(err)
		}
		start := make(chan struct{})
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				<-start
				if err := book.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		calls.Wait()
	}
}
