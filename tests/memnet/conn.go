package memnet

import (
	"bytes"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// kind is the kind of a segment on the wire.
type kind int

const (
	data kind = iota
	fin
	reset
)

// segment is the data of one Write, the end of the stream, or a reset, in flight on the wire.
type segment struct {
	kind kind
	data []byte
	at   time.Time // time of arrival, unless the path is stalled
}

// end is one end of a connection. It implements net.Conn. All fields are guarded by the network's lock.
type end struct {
	// Fixed at construction.
	serial        int
	net           *Network
	host          *Host
	peer          *end
	local, remote *net.TCPAddr
	opener        bool
	made          time.Time
	cond          *sync.Cond // wakes a blocked Read or Write of this end

	wire     []segment // in flight to this end
	buffer   []byte    // arrived and unread
	held     int       // bytes in wire and buffer
	eof      bool
	dead     error // result of every later Read and Write; nil: none
	closed   bool  // Close was called, or the host crashed
	halved   bool  // CloseWrite was called
	mute     bool  // vanished: drops all arriving segments and answers none
	spoke    bool  // the first Write has started
	upgraded bool  // accepted end: the first Write was an HTTP status 101
	damaged  bool  // a bit was flipped in either direction

	readBy, writeBy time.Time
}

// connect creates a connection and puts its far end into the listener's backlog. The caller holds n.mu.
func (n *Network) connect(from, to *Host, address *net.TCPAddr) *end {
	from.nextPort++
	port := &net.TCPAddr{IP: net.ParseIP(from.ip), Port: from.nextPort}
	near := &end{net: n, host: from, local: port, remote: address, opener: true, cond: sync.NewCond(&n.mu)}
	far := &end{net: n, host: to, local: address, remote: port, cond: sync.NewCond(&n.mu)}
	near.peer, far.peer = far, near
	for _, e := range []*end{near, far} {
		n.serial++
		e.serial, e.made = n.serial, time.Now()
		n.ends[e] = struct{}{}
	}
	from.hold()
	to.listener.backlog = append(to.listener.backlog, far)
	n.changed.Broadcast()
	return near
}

// send puts a segment on the wire to the other end. The caller holds n.mu.
func (e *end) send(s segment) {
	to := e.peer
	latency := e.net.path(e.host.ip, to.host.ip).latency
	s.at = time.Now().Add(latency)
	if last := len(to.wire) - 1; last >= 0 && to.wire[last].at.After(s.at) {
		s.at = to.wire[last].at // a stream keeps its order
	}
	to.wire = append(to.wire, s)
	to.held += len(s.data)
	if wait := time.Until(s.at); wait > 0 {
		time.AfterFunc(wait, func() {
			e.net.mu.Lock()
			defer e.net.mu.Unlock()
			to.arrive()
		})
		return
	}
	to.arrive()
}

// arrive receives the due segments of the wire, unless the path is stalled. The caller holds n.mu.
func (e *end) arrive() {
	if e.mute || e.net.path(e.peer.host.ip, e.host.ip).stalled {
		return
	}
	now, due := time.Now(), 0
	for due < len(e.wire) && !e.wire[due].at.After(now) {
		s := e.wire[due]
		due++
		switch {
		case s.kind == reset:
			e.kill(syscall.ECONNRESET)
			return
		case s.kind == fin:
			e.eof = true
		case e.closed: // answer the data with a reset, as TCP does
			e.kill(net.ErrClosed)
			e.send(segment{kind: reset})
			return
		default:
			e.buffer = append(e.buffer, s.data...)
		}
	}
	if due > 0 {
		e.wire = slices.Delete(e.wire, 0, due)
		e.cond.Broadcast()
	}
}

// kill makes an end fail with err and drops all its bytes. The caller holds n.mu.
func (e *end) kill(err error) {
	if e.dead == nil {
		e.dead = err
	}
	e.wire, e.buffer, e.held = nil, nil, 0
	e.cond.Broadcast()
	e.peer.cond.Broadcast()
}

// retire marks an end as closed and gives its socket back. The caller holds n.mu.
func (e *end) retire() {
	if e.closed {
		return
	}
	e.closed = true
	if e.opener || e.upgraded {
		e.host.sockets--
	}
	delete(e.net.ends, e)
	e.cond.Broadcast()
}

// Read implements net.Conn.
func (e *end) Read(b []byte) (int, error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, e.fault("read", net.ErrClosed)
		case e.dead != nil:
			return 0, e.fault("read", e.dead)
		case expired(e.readBy):
			return 0, e.fault("read", os.ErrDeadlineExceeded)
		case len(e.buffer) > 0:
			n := copy(b, e.buffer)
			if n > 1 && e.net.random.IntN(8) == 0 {
				n = 1 + e.net.random.IntN(n) // a stream does not keep the boundaries of writes
			}
			e.buffer = slices.Delete(e.buffer, 0, n)
			e.held -= n
			e.peer.cond.Broadcast()
			return n, nil
		case e.eof:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		e.wait(e.readBy)
	}
}

// Write implements net.Conn.
func (e *end) Write(b []byte) (written int, err error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if !e.spoke {
		e.spoke = true
		if !e.opener && !e.closed && bytes.HasPrefix(b, []byte("HTTP/1.1 101")) {
			e.upgraded = true
			e.host.hold()
		}
	}
	for {
		switch {
		case e.closed:
			return written, e.fault("write", net.ErrClosed)
		case e.dead != nil:
			return written, e.fault("write", e.dead)
		case e.halved:
			return written, e.fault("write", syscall.EPIPE)
		case expired(e.writeBy):
			return written, e.fault("write", os.ErrDeadlineExceeded)
		}
		room := Capacity - e.peer.held
		if room <= 0 {
			e.wait(e.writeBy)
			continue
		}
		n := min(room, len(b))
		if n > 0 {
			e.send(segment{kind: data, data: e.damage(bytes.Clone(b[:n]))})
		}
		if written, b = written+n, b[n:]; len(b) == 0 {
			return written, nil
		}
	}
}

// damage flips a random bit of b if the path corrupts this write.
func (e *end) damage(b []byte) []byte {
	if p := e.net.path(e.host.ip, e.peer.host.ip); p.corrupt > 0 {
		p.corrupt--
		b[e.net.random.IntN(len(b))] ^= 1 << e.net.random.IntN(8)
		e.damaged, e.peer.damaged = true, true
	}
	return b
}

// wait blocks until the end changes or the deadline passes; a zero deadline never does.
func (e *end) wait(by time.Time) {
	if !by.IsZero() {
		timer := time.AfterFunc(time.Until(by), func() {
			e.net.mu.Lock()
			e.cond.Broadcast()
			e.net.mu.Unlock()
		})
		defer timer.Stop()
	}
	e.cond.Wait()
}

func expired(by time.Time) bool { return !by.IsZero() && !time.Now().Before(by) }

func (e *end) fault(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

// Close implements net.Conn. Written bytes still arrive, followed by the end of the stream. With unread bytes, Close
// resets the other end instead, as TCP does.
func (e *end) Close() error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if e.closed {
		return e.fault("close", net.ErrClosed)
	}
	unread := len(e.buffer) > 0
	e.retire()
	if e.dead == nil && !e.mute {
		if unread {
			e.send(segment{kind: reset})
		} else {
			e.send(segment{kind: fin})
		}
		e.arrive() // answers bytes in flight with a reset
	}
	return nil
}

// LocalAddr implements net.Conn.
func (e *end) LocalAddr() net.Addr { return e.local }

// RemoteAddr implements net.Conn.
func (e *end) RemoteAddr() net.Addr { return e.remote }

// SetDeadline implements net.Conn.
func (e *end) SetDeadline(t time.Time) error { return e.setDeadlines(&t, &t) }

// SetReadDeadline implements net.Conn.
func (e *end) SetReadDeadline(t time.Time) error { return e.setDeadlines(&t, nil) }

// SetWriteDeadline implements net.Conn.
func (e *end) SetWriteDeadline(t time.Time) error { return e.setDeadlines(nil, &t) }

func (e *end) setDeadlines(read, write *time.Time) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if e.closed {
		return e.fault("set deadline", net.ErrClosed)
	}
	if read != nil {
		e.readBy = *read
	}
	if write != nil {
		e.writeBy = *write
	}
	e.cond.Broadcast()
	return nil
}
