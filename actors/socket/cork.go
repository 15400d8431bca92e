package socket

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// tinyBuffer is the size in bytes of the WebSocket library's own buffers on an accepted connection: it fits a frame
// header.
const tinyBuffer = 16

// maxWrite is the largest single write in bytes, and the largest buffer that is kept for reuse.
const maxWrite = 128 << 10

// corks recycles buffers of corked data.
var corks = sync.Pool{New: func() any { return newCorked() }}

// corkConn is the network connection below a WebSocket. While corked, it collects small writes for one system call. It
// sets a deadline for each write and for each message that is read. Control frames of the WebSocket library pass
// through it, too: at once if uncorked, with the batch if corked. A frame's header and payload may be two writes, so
// Write never flushes.
type corkConn struct {
	net.Conn

	mu            chanMutex // guards this group
	held          *corked   // from corks; nil if empty
	corked        bool
	closeSent     bool      // the close frame is written; nothing follows it
	writeDeadline time.Time // the deadline that is set

	opts       Options
	ahead      *readAhead    // owned by the reader; conn and raw are fixed
	inner      *bufio.Reader // the library's reader above this connection; nil: unknown
	beforeRead func()        // called before each system call that reads; may be nil

	message atomic.Uint64 // number of the message that is being read; 0: none
	timed   uint64        // number of the message that has the read deadline; owned by the reader

	linger atomic.Pointer[lingering] // nil until the close frame
	failed atomic.Bool               // a read or write of the network connection returned an error
}

func newCorkConn(conn net.Conn, opts Options) *corkConn {
	return &corkConn{Conn: conn, opts: opts, ahead: newReadAhead(conn), mu: newChanMutex()}
}

// Read sets the message deadline at the first system call inside a message and removes it outside. A busy connection
// reads many frames per system call, so this costs nothing there. Messages have numbers because on a busy connection
// every read may end inside a message.
func (c *corkConn) Read(p []byte) (int, error) {
	if !c.ahead.has() {
		if c.beforeRead != nil {
			c.beforeRead()
		}
		if err := c.timeMessage(); err != nil {
			c.failed.Store(true)
			return 0, err
		}
	}
	n, err := c.ahead.Read(p)
	if err != nil {
		c.failed.Store(true)
	}
	c.extendLinger(n)
	return n, err
}

// timeMessage sets or removes the deadline of the current message.
func (c *corkConn) timeMessage() error {
	inside := c.message.Load()
	if inside == c.timed {
		return nil
	}
	c.timed = inside
	var deadline time.Time
	if inside != 0 {
		deadline = time.Now().Add(c.opts.MessageTimeout)
	}
	return c.Conn.SetReadDeadline(deadline)
}

func (c *corkConn) Write(p []byte) (int, error) {
	c.mu.lock()
	defer c.mu.unlock()
	if c.closeSent {
		return len(p), nil
	}
	if c.corked {
		if c.held == nil {
			c.held = corks.Get().(*corked)
			c.held.to = c.ahead
		}
		c.held.data = append(c.held.data, p...)
		return len(p), nil
	}
	return c.write(c.Conn, p)
}

// write writes p to w, which is Conn or writes to it, under a write deadline. Setting one is expensive on a cold
// connection, so a deadline up to a sixteenth of the timeout old is used again.
func (c *corkConn) write(w io.Writer, p []byte) (int, error) {
	if due := time.Now().Add(c.opts.WriteTimeout); due.Sub(c.writeDeadline) > c.opts.WriteTimeout/16 {
		if err := c.Conn.SetWriteDeadline(due); err != nil {
			c.failed.Store(true)
			return 0, err
		}
		c.writeDeadline = due
	}
	n, err := w.Write(p)
	if err != nil {
		c.failed.Store(true)
	}
	if _, secured := c.Conn.(*tls.Conn); secured && err == nil {
		// TLS also writes inside Read, when a peer asks for new keys. An old deadline would break the connection then.
		c.writeDeadline, err = time.Time{}, c.Conn.SetWriteDeadline(time.Time{})
	}
	return n, err
}

// writeHeld writes the corked data in parts, so that a slow peer shows progress.
func (c *corkConn) writeHeld(movedOn func()) error {
	for rest := c.held.data; ; {
		part, w := rest[:min(len(rest), maxWrite)], io.Writer(c.Conn)
		if c.ahead.raw != nil && len(part) <= maxQuick {
			w = c.held
		}
		if _, err := c.write(w, part); err != nil {
			return err
		}
		if rest = rest[len(part):]; len(rest) == 0 {
			return nil
		}
		movedOn()
	}
}

func (c *corkConn) cork() {
	c.mu.lock()
	c.corked = true
	c.mu.unlock()
}

// flush writes the corked data; with uncork, later writes are no longer corked. Between parts it calls movedOn.
func (c *corkConn) flush(uncork bool, movedOn func()) error {
	c.mu.lock()
	defer c.mu.unlock()
	if uncork {
		c.corked = false
	}
	if c.held == nil {
		return nil
	}
	var err error
	if len(c.held.data) > 0 {
		err = c.writeHeld(movedOn)
	}
	c.held.data = c.held.data[:0]
	large := cap(c.held.data) > maxWrite
	if uncork && !large {
		c.held.to = nil
		corks.Put(c.held)
	}
	if uncork || large { // an idle connection has no write buffer
		c.held = nil
	}
	return err
}

// abort closes the connection without a close frame and without waiting. The Close of a TLS connection may block on a
// peer that reads nothing, so the connection below it is closed.
func (c *corkConn) abort() {
	if secured, ok := c.Conn.(*tls.Conn); ok {
		_ = secured.NetConn().Close()
		return
	}
	_ = c.Conn.Close()
}

// upgrader passes our connection to the WebSocket library instead of the HTTP server's.
type upgrader struct {
	http.ResponseWriter
	opts Options
	conn **corkConn // receives the connection
}

// Hijack implements http.Hijacker.
func (u *upgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	raw, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn := newCorkConn(raw, u.opts)
	*u.conn = conn
	if conn.ahead.raw == nil {
		// The library keeps the data in the reader and resets it onto our connection.
		rw.Writer.Reset(conn)
		return conn, rw, nil
	}
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		raw.Close()
		return nil, nil, err
	}
	conn.ahead.ahead = bytes.Clone(early)
	// Read-ahead and cork do the buffering, and hold no buffer when empty.
	conn.inner = bufio.NewReaderSize(conn, tinyBuffer)
	return conn, bufio.NewReadWriter(conn.inner, bufio.NewWriterSize(conn, tinyBuffer)), nil
}
