package clusterlab

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// balancer forwards TCP connections to its targets in turn, and to the next one if a target refuses.
type balancer struct {
	address string
	targets []string
	turn    atomic.Int64

	mu    sync.Mutex
	conns []net.Conn
}

// newBalancer runs a balancer until the test ends.
func newBalancer(t *testing.T, targets ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{address: l.Addr().String(), targets: targets}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.serve(in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		for _, c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		serving.Wait()
	})
	return b
}

// serve copies both directions until one ends.
func (b *balancer) serve(in net.Conn) {
	defer func() { _ = in.Close() }()
	out := b.dial()
	if out == nil {
		return
	}
	defer func() { _ = out.Close() }()
	b.mu.Lock()
	b.conns = append(b.conns, in, out)
	b.mu.Unlock()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(in, out)
		_ = in.Close()
	})
	_, _ = io.Copy(out, in)
	_ = out.Close()
	back.Wait()
}

func (b *balancer) dial() net.Conn {
	for range b.targets {
		target := b.targets[int(b.turn.Add(1))%len(b.targets)]
		if out, err := net.Dial("tcp", target); err == nil {
			return out
		}
	}
	return nil
}
