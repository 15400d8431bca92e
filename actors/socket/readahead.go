package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/Snider/go-p2p/actors/runclock"
)

// readAheadSize is how much one system call reads at most. A busy connection brings many frames in one.
const readAheadSize = 32 << 10

// readAheads recycles read buffers. It holds no state: which connection had a buffer last makes no difference.
var readAheads = sync.Pool{New: func() any { return new([readAheadSize]byte) }}

// readAhead reads a connection in large pieces, through a buffer that it holds only while there are bytes in it: an
// idle connection holds none. That needs a connection that can be asked whether it is readable; through any other
// (TLS, a wrapper, an in-memory network) it reads as it is told. For one reader.
type readAhead struct {
	conn  net.Conn
	raw   syscall.RawConn       // nil: the connection cannot be asked
	held  *[readAheadSize]byte  // nil while nothing is unread in it
	ahead []byte                // unread: in held, or what came before the upgrade
	try   func(fd uintptr) bool // made once, so that a read allocates nothing
	n     int                   // what try read
	err   error
	ended error // what a wait ended with, for the next read
}

func newReadAhead(conn net.Conn) *readAhead {
	r := &readAhead{conn: conn}
	if c, ok := conn.(*runclock.Conn); ok {
		conn = c.Conn
	}
	// Not whatever has a SyscallConn: a program's wrapper around a TCP connection has that one's, and its Read is passed by.
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
		if r.raw == nil || len(p) >= readAheadSize {
			return r.conn.Read(p)
		}
		if r.ended != nil {
			return 0, r.ended
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.ahead)
	if r.ahead = r.ahead[n:]; !r.has() {
		r.release()
	}
	return n, nil
}

// wait blocks until there is something to read, or never will be: the next read then says why.
func (r *readAhead) wait() {
	if !r.has() && r.ended == nil {
		r.ended = r.fill()
	}
}

// has reports whether the next read takes no system call.
func (r *readAhead) has() bool { return len(r.ahead) > 0 }

// fill waits until there is something to read and reads it.
func (r *readAhead) fill() error {
	err := r.raw.Read(r.try) // io errors of the wait itself: closed, deadline
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
		r.ahead = r.held[:r.n]
		return nil
	}
	r.release()
	return err
}

// renewed reports whether the read deadline that err tells of passed in a standstill and has been set again.
func (r *readAhead) renewed(err error) bool {
	c, ok := r.conn.(*runclock.Conn)
	return ok && c.RenewRead(err)
}

// tryRead reads once, and gives the buffer back when there is nothing: the wait is without one.
func (r *readAhead) tryRead(fd uintptr) bool {
	if r.held == nil {
		r.held = readAheads.Get().(*[readAheadSize]byte)
	}
	var again bool
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
