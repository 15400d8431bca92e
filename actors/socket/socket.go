package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/runclock"
)

// ErrMessageTooBig means that a message was larger than the socket's read limit.
var ErrMessageTooBig = websocket.ErrMessageTooBig

// ErrProtocol means that the peer violated the WebSocket protocol. The network connection itself worked.
var ErrProtocol = errors.New("the peer broke the WebSocket protocol")

// ErrMessageTooSlow means that a message did not arrive completely within its time limit.
var ErrMessageTooSlow = errors.New("a message took longer than its time limit")

// ErrClosed means that the connection ended first.
var ErrClosed = errors.New("the connection is closed")

// ErrWriteTimeout means that the peer read nothing for the length of the write timeout.
var ErrWriteTimeout = errors.New("the write timed out")

// MinBuffer is the smallest buffer in which a message is read, in bytes. Most messages fit.
const MinBuffer = 1 << 10

// CloseStatus is the content of a WebSocket close frame.
type CloseStatus struct {
	Code   websocket.StatusCode
	Reason string
}

// Options are the limits of one WebSocket.
type Options struct {
	ReadLimit      int64           // bytes of one message; SetReadLimit changes it
	MessageTimeout time.Duration   // from a message's first byte to its last
	WriteTimeout   time.Duration   // of one write to the operating system; at most a sixteenth less
	Running        *runclock.Clock // measures how long a closed socket lingers; nil: real time
}

// Conn is one WebSocket connection under limits. One goroutine reads, one writes; Abort and Close are safe for
// concurrent use.
type Conn struct {
	ws     *websocket.Conn
	conn   *corkConn
	remote string

	dialled bool // a client masks its frames

	// Owned by the reader.
	message io.Reader // being read
	text    bool      // it is a text message
	number  uint64    // of that message
}

// Accept upgrades an HTTP request. The caller has checked the Origin header (protocol section 6); the library's own
// check would admit every same-host origin and is off. On an error the response has been written.
func Accept(w http.ResponseWriter, r *http.Request, opts Options) (*Conn, error) {
	var conn *corkConn // outside the upgrader, which would keep the whole request alive
	up := &upgrader{ResponseWriter: w, opts: opts, conn: &conn}
	control := &controlFrames{}
	ws, err := websocket.Accept(up, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		OnPingReceived:     control.onPing,
		OnPongReceived:     control.onPong,
	})
	if err != nil {
		return nil, err
	}
	return newConn(ws, conn, r.RemoteAddr, opts), nil
}

func newConn(ws *websocket.Conn, conn *corkConn, remote string, opts Options) *Conn {
	ws.SetReadLimit(opts.ReadLimit)
	conn.open = true
	return &Conn{ws: ws, conn: conn, remote: remote}
}

// RemoteAddr returns the peer's network address.
func (s *Conn) RemoteAddr() string { return s.remote }

// SetReadLimit changes the limit from the next message on. Safe for concurrent use.
func (s *Conn) SetReadLimit(n int64) { s.ws.SetReadLimit(n) }

// BeforeRead makes the reader call f before each system call that reads. Only before the first read.
func (s *Conn) BeforeRead(f func()) { s.conn.beforeRead = f }

// Await blocks until a message begins. It holds no buffer while it waits.
func (s *Conn) Await() error {
	kind, message, err := s.ws.Reader(context.Background())
	s.message, s.text = message, kind == websocket.MessageText
	return readFault(err, s.conn.failed.Load())
}

// Text reports whether the message that Await has found is a text message.
func (s *Conn) Text() bool { return s.text }

// readFault marks an error of the WebSocket library as ErrProtocol if the peer has violated the WebSocket protocol.
// The library does not distinguish that from a lost connection. connFailed does: a read or write of the network
// connection returned an error.
func readFault(err error, connFailed bool) error {
	switch {
	case err == nil, connFailed, websocket.CloseStatus(err) != -1, errors.Is(err, ErrMessageTooBig),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
}

// CanWait reports whether WaitReadable works on this connection.
func (s *Conn) CanWait() bool { return s.conn.ahead.raw != nil && s.conn.inner != nil }

// Drained reports whether all received data has been read, including the library's buffer. Only if CanWait.
func (s *Conn) Drained() bool {
	return s.conn.inner.Buffered() == 0 && !s.conn.ahead.has()
}

// LiftDeadline removes the deadline of the last message, before WaitReadable.
func (s *Conn) LiftDeadline() { _ = s.conn.timeMessage() } // the next read reports an error

// WaitReadable blocks until data arrives or the connection ends; Await returns the error then. It needs little stack.
func (s *Conn) WaitReadable() { s.conn.ahead.wait() }

// Read appends the current message to buf. The allocated memory is proportional to the received data, not to the size
// in a header.
func (s *Conn) Read(buf []byte) ([]byte, error) {
	s.number++
	s.conn.message.Store(s.number)
	defer s.conn.message.Store(0)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(len(buf), MinBuffer)) // double it; append would grow by a quarter
		}
		n, err := s.message.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return buf, ErrMessageTooSlow
		}
		if err != nil {
			return buf, readFault(err, s.conn.failed.Load())
		}
	}
}

// Write writes one message, or appends it to the corked data.
func (s *Conn) Write(data []byte, text bool) error {
	kind := byte(frameBinary)
	if text {
		kind = frameText
	}
	return writeError(s.conn.writeMessage(kind, data, s.dialled))
}

// Ping sends a WebSocket ping and waits for the pong, at most for limit. It never closes the socket.
func (s *Conn) Ping(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.ws.Ping(ctx)
}

// Cork delays all writes until Flush. alone means that no other connection of the node is being written to: then small
// writes bypass the accounting of the Go scheduler, see quickWrite.
func (s *Conn) Cork(alone bool) { s.conn.cork(alone) }

// Flush writes the corked data; with uncork, later writes are no longer delayed. It calls movedOn after each part that
// the operating system has accepted.
func (s *Conn) Flush(uncork bool, movedOn func()) error {
	return writeError(s.conn.flush(uncork, movedOn))
}

// Abort closes the socket at once and never blocks.
func (s *Conn) Abort() { s.conn.abort() }

// Release frees the library's resources. Only for the reader goroutine, after its last Read.
func (s *Conn) Release() {
	s.conn.abort()
	s.conn.stopLinger()
	_ = s.ws.CloseNow() // does not wait: the connection is closed
}

func writeError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrWriteTimeout
	default:
		return fmt.Errorf("%w: %v", ErrClosed, err)
	}
}
