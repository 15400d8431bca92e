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

// sendMarks tells whoever connects to the returned address, on a connection beside the measured ones, how many
// broadcasts have come in whole at all of the n peers: one small write for each n deliveries at most.
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

// broadcast sends for some seconds with at most a.Parallel broadcasts on their way, and waits for the last one to
// arrive.
func (w *worker) broadcast(a args) (figures, error) {
	marks, err := net.Dial("tcp", a.Address)
	if err != nil {
		return nil, err
	}
	defer marks.Close()
	var arrived atomic.Int64
	moved, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() { ended <- follow(marks, &arrived, moved) }()

	before, err := process.Measure()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	length := time.Duration(a.Seconds * float64(time.Second))
	deadline := time.After(length + 30*time.Second)
	sent := int64(0)
	for {
		running := time.Since(began) < length
		if !running && arrived.Load() >= sent {
			break
		}
		if running && sent-arrived.Load() < int64(a.Parallel) {
			if err := w.node.Broadcast(a.Size); err != nil {
				return nil, err
			}
			sent++
			continue
		}
		select {
		case <-moved:
		case err := <-ended:
			return nil, err
		case <-deadline:
			return nil, fmt.Errorf("of %d broadcasts %d arrived everywhere; %d peers of %d are connected", sent, arrived.Load(), w.node.Peers(), a.N)
		}
	}
	took := time.Since(began)
	after, err := process.Measure()
	deliveries := float64(sent) * float64(a.N)
	return figures{
		"broadcasts": float64(sent), "rate": deliveries / took.Seconds(),
		"server cpu": (after.CPU - before.CPU) / deliveries,
	}, err
}

// follow keeps arrived up to date.
func follow(marks io.Reader, arrived *atomic.Int64, moved chan<- struct{}) error {
	for {
		var now int64
		if err := binary.Read(marks, binary.BigEndian, &now); err != nil {
			return err
		}
		arrived.Store(now)
		select {
		case moved <- struct{}{}:
		default: // it will look anyhow
		}
	}
}
