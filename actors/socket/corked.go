package socket

import (
	"os"

	"github.com/Snider/go-p2p/actors/runclock"
)

// maxQuick is the largest write in bytes that is made outside the accounting of the Go scheduler: the processor that
// makes it runs no other goroutine meanwhile, even if the kernel preempts its thread.
const maxQuick = 16 << 10

// corked is a buffer of corked data, and the state of the write that empties it. Both are needed at the same time only,
// so an idle connection has none.
type corked struct {
	data []byte
	to   *readAhead // the connection

	rest []byte                // of the current write
	err  error                 // of the current write
	try  func(fd uintptr) bool // made once, so that writes do not allocate
}

func newCorked() *corked {
	c := &corked{}
	c.try = c.tryWrite
	return c
}

// tryWrite writes until all is written or the operating system accepts nothing now.
func (c *corked) tryWrite(fd uintptr) bool {
	for len(c.rest) > 0 {
		n, again, err := writeOnce(fd, c.rest)
		if again {
			return false
		}
		if c.err = err; err != nil {
			return true
		}
		c.rest = c.rest[n:]
	}
	return true
}

// Write implements io.Writer: it writes p to the connection.
func (c *corked) Write(p []byte) (int, error) {
	c.rest, c.err = p, nil
	err := c.to.raw.Write(c.try) // errors of the wait itself: closed, deadline
	for err != nil && c.to.renewedWrite(err) {
		err = c.to.raw.Write(c.try)
	}
	if err == nil && c.err != nil {
		err = os.NewSyscallError("write", c.err)
	}
	n := len(p) - len(c.rest)
	c.rest = nil
	return n, err
}

// renewedWrite reports whether err is a write deadline that passed in a standstill and was set again.
func (r *readAhead) renewedWrite(err error) bool {
	c, ok := r.conn.(*runclock.Conn)
	return ok && c.RenewWrite(err)
}
