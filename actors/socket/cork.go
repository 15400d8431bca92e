package socket

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// tinyBuffer is the size that the WebSocket library's own buffers of an accepted connection are reduced to: a frame's
// header fits.
const tinyBuffer = 16

// maxWrite is the largest single write in bytes, and the largest buffer that is kept for reuse.
const maxWrite = 128 << 10

// corks recycles what is held back.
var corks = sync.Pool{New: func() any { return new([]byte) }}

// corkConn is the network connection under a WebSocket. It gathers small writes into one system call while it is
// corked, and puts a deadline on each write and on each message that is being read. The WebSocket library's own
// control frames come through here too: uncorked they pass at once, corked they leave with the batch. A frame's
// header and its payload may be two writes, so nothing is ever flushed inside Write.
type corkConn struct {
	net.Conn

	mu            chanMutex // guards the rest of this group
	held          *[]byte   // gathers written bytes while corked is set; of corks, nil while it is empty
	corked        bool
	closeSent     bool      // the last word has been said
	writeDeadline time.Time // the write deadline that is set

	opts       Options
	ahead      *readAhead    // owned by the reader
	inner      *bufio.Reader // the library's, over this one; nil: not known
	beforeRead func()        // called before each system call that reads; nil: nothing

	message atomic.Uint64 // number of the message that the reader is inside; 0: none
	timed   uint64        // number of the message that has the read deadline; owned by the reader

	linger atomic.Pointer[lingering] // nil until the last word
	failed atomic.Bool               // a read or write of the network connection returned an error
}

func newCorkConn(conn net.Conn, opts Options) *corkConn {
	return &corkConn{Conn: conn, opts: opts, ahead: newReadAhead(conn), mu: newChanMutex()}
}

// Read sets the message deadline at the first system call inside each message and lifts it outside: one is rare beside
// the frames that it brings, so this costs nothing on a busy connection. Messages are told apart by number, since on a
// busy connection every read may end inside one.
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

// timeMessage sets or lifts the deadline of the message that the reader is inside.
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
			c.held = corks.Get().(*[]byte)
		}
		*c.held = append(*c.held, p...)
		return len(p), nil
	}
	return c.write(p)
}

// write has a deadline. Setting one is dear on a connection that is cold, so one that was set a moment ago does: a write has
// its whole timeout, or up to a sixteenth less.
func (c *corkConn) write(p []byte) (int, error) {
	if due := time.Now().Add(c.opts.WriteTimeout); due.Sub(c.writeDeadline) > c.opts.WriteTimeout/16 {
		if err := c.Conn.SetWriteDeadline(due); err != nil {
			c.failed.Store(true)
			return 0, err
		}
		c.writeDeadline = due
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failed.Store(true)
	}
	if _, secured := c.Conn.(*tls.Conn); secured && err == nil {
		// TLS also writes while it reads, to a peer that asks for new keys. That must not meet a deadline of long ago, which
		// would spoil the connection.
		c.writeDeadline, err = time.Time{}, c.Conn.SetWriteDeadline(time.Time{})
	}
	return n, err
}

// writeHeld writes what is held back, in parts: a peer that takes a large message slowly does take something.
func (c *corkConn) writeHeld(movedOn func()) error {
	for rest := *c.held; ; {
		part := rest[:min(len(rest), maxWrite)]
		if _, err := c.write(part); err != nil {
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

// flush writes what is held back; uncork ends the holding. While that takes more than one write it calls movedOn after
// each.
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
	if len(*c.held) > 0 {
		err = c.writeHeld(movedOn)
	}
	*c.held = (*c.held)[:0]
	large := cap(*c.held) > maxWrite
	if uncork && !large {
		corks.Put(c.held)
	}
	if uncork || large { // an idle connection holds no write buffer
		c.held = nil
	}
	return err
}

// abort closes the connection without a word and without waiting: a TLS connection's own Close may block on a peer
// that takes nothing, so the one below it goes first.
func (c *corkConn) abort() {
	if secured, ok := c.Conn.(*tls.Conn); ok {
		_ = secured.NetConn().Close()
		return
	}
	_ = c.Conn.Close()
}

// upgrader hands the WebSocket library our connection in place of the HTTP server's.
type upgrader struct {
	http.ResponseWriter
	opts Options
	conn **corkConn // where it goes
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
		// The library keeps what the reader has buffered already and resets it onto our connection.
		rw.Writer.Reset(conn)
		return conn, rw, nil
	}
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		raw.Close()
		return nil, nil, err
	}
	conn.ahead.ahead = bytes.Clone(early)
	// Read-ahead and cork do the buffering, and only while there is something in it.
	conn.inner = bufio.NewReaderSize(conn, tinyBuffer)
	return conn, bufio.NewReadWriter(conn.inner, bufio.NewWriterSize(conn, tinyBuffer)), nil
}
