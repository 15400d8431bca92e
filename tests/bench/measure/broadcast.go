package measure

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/tests/bench/process"
)

// sendMarks listens on the returned address. On a connection beside the measured ones it sends the number of broadcasts
// that all n peers have received: at most one small write per n deliveries.
func (w *worker) sendMarks(n int) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	marks := w.flock.Marks(n)
	go func() {
		defer ln.Close()
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for range marks {
			if binary.Write(conn, binary.BigEndian, w.flock.Frames()/int64(n)) != nil {
				return
			}
		}
	}()
	return ln.Addr().String(), nil
}

// broadcast sends for a.Seconds with at most a.Parallel broadcasts in flight and waits for the arrival of the last one.
// A warm-up of a quarter of that time comes first.
func (w *worker) broadcast(a args) (figures, error) {
	marks, err := net.Dial("tcp", a.Address)
	if err != nil {
		return nil, err
	}
	defer marks.Close()
	b := &broadcaster{args: a, send: w.node.Broadcast, moved: make(chan struct{}, 1), ended: make(chan error, 1)}
	go func() { b.ended <- b.follow(marks) }()
	if err := b.run(a.Seconds / 4); err != nil {
		return nil, err
	}
	before, err := process.Measure()
	if err != nil {
		return nil, err
	}
	warm, began := b.sent, time.Now()
	if err := b.run(a.Seconds); err != nil {
		return nil, err
	}
	took := time.Since(began)
	after, err := process.Measure()
	deliveries := float64(b.sent-warm) * float64(a.N)
	return figures{
		"peers": float64(a.N), "broadcasts": float64(b.sent), "rate": deliveries / took.Seconds(),
		"server cpu": (after.CPU - before.CPU) / deliveries,
	}, err
}

// broadcaster keeps a number of broadcasts in flight.
type broadcaster struct {
	args
	send    func(size int) error
	sent    int64
	arrived atomic.Int64
	moved   chan struct{} // signals a change of arrived; capacity 1
	ended   chan error    // receives the error that ended follow
}

// run sends for a time and waits for the arrival of the last broadcast.
func (b *broadcaster) run(seconds float64) error {
	began := time.Now()
	length := time.Duration(seconds * float64(time.Second))
	deadline := time.After(length + 30*time.Second)
	for {
		running := time.Since(began) < length
		switch {
		case !running && b.arrived.Load() >= b.sent:
			return nil
		case running && b.sent-b.arrived.Load() < int64(b.Parallel):
			if err := b.send(b.Size); err != nil {
				return err
			}
			b.sent++
			continue
		}
		select {
		case <-b.moved:
		case err := <-b.ended:
			return err
		case <-deadline:
			return fmt.Errorf("of %d broadcasts, sent to %d peers each, %d arrived at all peers", b.sent, b.N, b.arrived.Load())
		}
	}
}

// follow updates arrived until marks ends.
func (b *broadcaster) follow(marks io.Reader) error {
	for {
		var now int64
		if err := binary.Read(marks, binary.BigEndian, &now); err != nil {
			return err
		}
		b.arrived.Store(now)
		select {
		case b.moved <- struct{}{}:
		default: // a signal is already pending
		}
	}
}
