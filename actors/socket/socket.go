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

// ErrProtocol means that the peer broke the WebSocket protocol: the network connection itself still worked.
var ErrProtocol = errors.New("the peer broke the WebSocket protocol")

// ErrMessageTooSlow means that a message did not arrive whole within its time.
var ErrMessageTooSlow = errors.New("a message took longer than its time limit")

// ErrClosed means that the connection ended first.
var ErrClosed = errors.New("the connection is closed")

// ErrWriteTimeout means that the peer took nothing for the length of the write timeout.
var ErrWriteTimeout = errors.New("the write timed out")

// MinBuffer is the smallest buffer in which a message is read, in bytes. Most messages fit.
const MinBuffer = 1 << 10

// CloseStatus is what a WebSocket close frame carries.
type CloseStatus struct {
	Code   websocket.StatusCode
	Reason string
}

// Options are the limits of one WebSocket.
type Options struct {
	ReadLimit      int64           // bytes of one message; SetReadLimit changes it
	MessageTimeout time.Duration   // from a message's first byte to its last
	WriteTimeout   time.Duration   // of one write to the operating system, or up to a sixteenth less
	Running        *runclock.Clock // measures how long a closed socket lingers; nil: real time
}

// Conn is one WebSocket connection under our limits. One goroutine reads, one writes; Abort and Close may come
// from any.
type Conn struct {
	ws     *websocket.Conn
	conn   *corkConn
	remote string

	dialled bool // what goes out is masked

	// Owned by the reader.
	message io.Reader // the one that is being read
	number  uint64    // of that message
}

// Accept upgrades an HTTP request. The caller has already decided about the Origin header (protocol
// section 6); the library's own rule lets every same-host origin in and is switched off. On an error the
// response has been written.
func Accept(w http.ResponseWriter, r *http.Request, opts Options) (*Conn, error) {
	var conn *corkConn // apart from the upgrader, which nothing that stays may hold: the whole request would stay with it
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
	return &Conn{ws: ws, conn: conn, remote: remote}
}

// RemoteAddr is the peer's network address.
func (s *Conn) RemoteAddr() string { return s.remote }

// SetReadLimit changes the limit from the next message on. Safe for concurrent use.
func (s *Conn) SetReadLimit(n int64) { s.ws.SetReadLimit(n) }

// BeforeRead has f called before each system call that reads. Only before the first read. f runs on the reader goroutine.
func (s *Conn) BeforeRead(f func()) { s.conn.beforeRead = f }

// Await blocks until a message begins. It holds no buffer, so an idle connection costs none.
func (s *Conn) Await() (err error) {
	_, s.message, err = s.ws.Reader(context.Background())
	return readFault(err, s.conn.failed.Load())
}

// readFault marks an error of the WebSocket library as ErrProtocol if the peer caused it by breaking the WebSocket
// protocol. The library does not tell such errors apart from lost connections, so it is the network connection that
// tells: connFailed reports whether one of its reads or writes returned an error.
func readFault(err error, connFailed bool) error {
	switch {
	case err == nil, connFailed, websocket.CloseStatus(err) != -1, errors.Is(err, ErrMessageTooBig),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
}

// mayRest reports whether the wait for a message can be had by rest, once the socket is spent.
func (s *Conn) CanWait() bool { return s.conn.ahead.raw != nil && s.conn.inner != nil }

// spent reports whether all that has come has been read, by the library too. Only for a socket that may rest.
func (s *Conn) Drained() bool {
	return s.conn.inner.Buffered() == 0 && !s.conn.ahead.has()
}

// settle lifts the deadline of the last message, before a rest.
func (s *Conn) LiftDeadline() { _ = s.conn.timeMessage() } // what fails here the next read reports

// rest blocks until a message begins, or none will any more: Await then says why. It takes little stack.
func (s *Conn) WaitReadable() { s.conn.ahead.wait() }

// Read appends the message that has begun to buf. What it allocates grows with what has arrived, never with what a
// header claims.
func (s *Conn) Read(buf []byte) ([]byte, error) {
	s.number++
	s.conn.message.Store(s.number)
	defer s.conn.message.Store(0)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(len(buf), MinBuffer)) // twice, where append would go on in fifths
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

// Write adds one message to what is corked, or writes it at once.
func (s *Conn) Write(data []byte, text bool) error {
	kind := websocket.MessageBinary
	if text {
		kind = websocket.MessageText
	}
	return writeError(s.ws.Write(context.Background(), kind, data))
}

// Ping sends a WebSocket ping and waits for the pong, for limit at most. The socket stays as it is either way.
func (s *Conn) Ping(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.ws.Ping(ctx)
}

// Cork holds back what is written from now on, until Flush.
func (s *Conn) Cork() { s.conn.cork() }

// Flush writes what is held back; uncork ends the holding. It calls movedOn whenever the operating system has taken a part.
func (s *Conn) Flush(uncork bool, movedOn func()) error {
	return writeError(s.conn.flush(uncork, movedOn))
}

// Abort closes the socket at once and never blocks.
func (s *Conn) Abort() { s.conn.abort() }

// release frees what the library holds for the socket. Only for the reading goroutine, after its last Read.
func (s *Conn) Release() {
	s.conn.abort()
	s.conn.stopLinger()
	_ = s.ws.CloseNow() // the connection under it is gone, so it does not wait
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
