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

// corkConn is the network connection below a WebSocket. It writes the messages of this node and the control frames of
// the WebSocket library: at once, or while corked with the next flush, in one system call. It sets a deadline for each
// write and for each message that is read.
type corkConn struct {
	net.Conn

	mu            chanMutex     // guards this group
	held          *corked       // from corks; nil if empty
	part          *bytes.Buffer // the beginning of a frame of the library; nil: none
	open          bool          // the upgrade is over
	corked        bool
	alone         bool      // no other connection is being written to
	answered      bool      // the library has written a close frame; no message follows it
	closeSent     bool      // this node has written a close frame; nothing follows it
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
	return &corkConn{Conn: conn, opts: opts, ahead: newReadAhead(conn)}
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

// Write implements net.Conn for the library: its request of a dialled connection, and then control frames, whose header
// and payload may be two writes. A frame is written when it is whole: no message gets between its parts.
func (c *corkConn) Write(p []byte) (int, error) {
	c.mu.lock()
	defer c.mu.unlock()
	if c.closeSent {
		return len(p), nil
	}
	if !c.open {
		return c.write(c.Conn, p)
	}
	frame := c.wholeFrame(p)
	if frame == nil {
		return len(p), nil
	}
	c.answered = c.answered || frame[0] == frameClose
	held := c.hold()
	held.data = append(held.data, frame...)
	return len(p), c.sendUncorked()
}

// writeMessage writes a frame of this node.
func (c *corkConn) writeMessage(kind byte, payload []byte, masked bool) error {
	c.mu.lock()
	defer c.mu.unlock()
	if c.closeSent || c.answered {
		return net.ErrClosed
	}
	held := c.hold()
	held.data = appendFrame(held.data, kind, payload, masked)
	return c.sendUncorked()
}

// sendUncorked writes the held data unless they are corked.
func (c *corkConn) sendUncorked() error {
	if c.corked {
		return nil
	}
	return c.writeOut(true, func() {})
}

// wholeFrame returns the frame of the library that ends with p, or nil if its end is missing.
func (c *corkConn) wholeFrame(p []byte) []byte {
	if c.part == nil && wholeControl(p) {
		return p
	}
	if c.part == nil {
		c.part = &bytes.Buffer{}
	}
	c.part.Write(p)
	frame := c.part.Bytes()
	if !wholeControl(frame) {
		return nil
	}
	c.part = nil
	return frame
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
		if c.alone && c.ahead.raw != nil && len(part) <= maxQuick {
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

// hold returns the buffer of the corked data.
func (c *corkConn) hold() *corked {
	if c.held == nil {
		c.held = corks.Get().(*corked)
		c.held.to = c.ahead
	}
	return c.held
}

func (c *corkConn) cork(alone bool) {
	c.mu.lock()
	c.corked, c.alone = true, alone
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
	return c.writeOut(uncork, movedOn)
}

// writeOut writes the corked data and, if release, keeps no buffer.
func (c *corkConn) writeOut(release bool, movedOn func()) error {
	var err error
	if len(c.held.data) > 0 {
		err = c.writeHeld(movedOn)
	}
	c.held.data = c.held.data[:0]
	large := cap(c.held.data) > maxWrite
	if release && !large {
		c.held.to = nil
		corks.Put(c.held)
	}
	if release || large { // an idle connection has no write buffer
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
