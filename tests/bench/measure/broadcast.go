package measure

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// broadcasts measures broadcasts to many peers, with one and with InFlight broadcasts in flight.
func (r *run) broadcasts(repeat int) error {
	for _, flying := range []int{1, InFlight} {
		list := []string{systems.OursSMSG, systems.Ours, systems.Reference, systems.Coder}
		for _, system := range alternating(list, repeat) {
			found, err := r.broadcastTo(system, r.Peers, flying)
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			r.note(Broadcast, system, float64(flying), repeat, found)
		}
	}
	return nil
}

// broadcastTo measures broadcasts to a number of peers with a number of broadcasts in flight.
func (r *run) broadcastTo(system string, peers, flying int) (figures, error) {
	const size = 256
	counted, err := countedSize(system, size)
	if err != nil {
		return nil, err
	}
	p, err := r.pair(system, ends{})
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := p.herd(peers, peers, counted); err != nil {
		return nil, err
	}
	var side string
	if err := p.client.Call("marks", args{N: peers}, &side); err != nil {
		return nil, err
	}
	var found, arrived figures
	call := args{Address: side, N: peers, Size: size, Parallel: flying, Seconds: r.Seconds}
	if err := p.server.Call("broadcast", call, &found); err != nil {
		return nil, err
	}
	if err := p.client.Call("frames", args{}, &arrived); err != nil {
		return nil, err
	}
	if arrived["frames"] != found["broadcasts"]*float64(peers) {
		return nil, fmt.Errorf("%v deliveries of %v broadcasts to %d", arrived["frames"], found["broadcasts"], peers)
	}
	return found, nil
}

// countedSize returns the size of the broadcasts that a flock counts.
func countedSize(system string, size int) (int, error) {
	switch system {
	case systems.Ours:
		return systems.BroadcastSize(size)
	case systems.OursSMSG, systems.Reference:
		return 2 * size, nil // between a message of about 640 bytes and the node's pings of about 400
	}
	return size, nil // a message of a bare system is exactly its payload
}

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
			if binary.Write(conn, binary.BigEndian, w.flock.Messages()/int64(n)) != nil {
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
