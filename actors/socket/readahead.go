package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/Snider/go-p2p/actors/runclock"
)

// readAheadSize is the largest read in bytes. A busy connection gets many frames in one read.
const readAheadSize = 32 << 10

// readAheads recycles read buffers.
var readAheads = sync.Pool{New: func() any { return new([readAheadSize]byte) }}

// readAhead reads a connection in large pieces. It holds a buffer only while there is unread data in it. That needs a
// connection that can be asked whether it is readable. Others (TLS, wrappers, in-memory networks) are read directly.
// For one reader.
type readAhead struct {
	conn  net.Conn
	raw   syscall.RawConn       // nil: the connection cannot be asked
	held  *[readAheadSize]byte  // nil if all data is read
	ahead []byte                // unread: part of held, or received before the upgrade; in a large read: its target
	try   func(fd uintptr) bool // made once, so that reads do not allocate
	n     int                   // result of try
	err   error
	ended error // error of a wait, returned by the next read
}

func newReadAhead(conn net.Conn) *readAhead {
	r := &readAhead{conn: conn}
	if c, ok := conn.(*runclock.Conn); ok {
		conn = c.Conn
	}
	// Only a plain TCP connection: a program's wrapper also has its SyscallConn, but its Read must not be bypassed.
	if c, ok := conn.(*net.TCPConn); ok && canReadAhead {
		if raw, err := c.SyscallConn(); err == nil {
			r.raw = raw
			r.try = r.tryRead
		}
	}
	return r
}

// Read implements io.Reader.
func (r *readAhead) Read(p []byte) (int, error) {
	if !r.has() {
		switch {
		case r.raw == nil:
			return r.conn.Read(p)
		case r.ended != nil:
			return 0, r.ended
		case len(p) >= readAheadSize:
			r.ahead = p
			err := r.fill()
			r.ahead = nil
			return r.n, err
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
		r.ahead = r.held[:r.n]
	}
	n := copy(p, r.ahead)
	if r.ahead = r.ahead[n:]; !r.has() {
		r.release()
	}
	return n, nil
}

// wait blocks until data arrives or the connection ends; the next read returns the error.
func (r *readAhead) wait() {
	if !r.has() && r.ended == nil {
		if r.ended = r.fill(); r.ended == nil {
			r.ahead = r.held[:r.n]
		}
	}
}

// has reports whether the next read needs no system call.
func (r *readAhead) has() bool { return len(r.ahead) > 0 }

// fill blocks until data arrives and reads n bytes into ahead, or if that is empty into held. After an error n is 0.
func (r *readAhead) fill() error {
	err := r.raw.Read(r.try) // errors of the wait itself: closed, deadline
	for err != nil && r.renewed(err) {
		err = r.raw.Read(r.try)
	}
	switch {
	case err != nil:
	case r.err != nil:
		err = os.NewSyscallError("read", r.err)
	case r.n == 0:
		err = io.EOF
	default:
		return nil
	}
	r.n = 0
	r.release()
	return err
}

// renewed reports whether err is a read deadline that passed in a standstill and was set again.
func (r *readAhead) renewed(err error) bool {
	c, ok := r.conn.(*runclock.Conn)
	return ok && c.RenewRead(err)
}

// tryRead reads once. Without data it returns the buffer, so that the wait holds none.
func (r *readAhead) tryRead(fd uintptr) bool {
	var again bool
	if r.has() {
		r.n, again, r.err = readOnce(fd, r.ahead)
		return !again
	}
	if r.held == nil {
		r.held = readAheads.Get().(*[readAheadSize]byte)
	}
	if r.n, again, r.err = readOnce(fd, r.held[:]); again {
		r.release()
	}
	return !again
}

func (r *readAhead) release() {
	if r.held != nil {
		readAheads.Put(r.held)
		r.held, r.ahead = nil, nil
	}
}
