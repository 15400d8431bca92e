package actors

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// ErrMessageTooBig means that a message was larger than the socket's read limit.
var ErrMessageTooBig = websocket.ErrMessageTooBig

// ErrViolation means that the peer broke the WebSocket protocol: the network connection itself still worked.
var ErrViolation = errors.New("the peer broke the WebSocket protocol")

// ErrMessageTooSlow means that a message did not arrive whole within its time.
var ErrMessageTooSlow = errors.New("a message took longer than its time limit")

// closeStatus is what a WebSocket close frame carries.
type closeStatus struct {
	code   websocket.StatusCode
	reason string
}

// SocketOptions are the limits of one WebSocket.
type SocketOptions struct {
	ReadLimit      int64         // bytes of one message; SetReadLimit changes it
	MessageTimeout time.Duration // from a message's first byte to its last
	WriteTimeout   time.Duration // of one write to the operating system, or up to a sixteenth less
	Running        *RunningClock // of the node: for the time in which a closed socket lingers
}

// Socket is one WebSocket connection under our limits. One goroutine reads, one writes; Abort and Close may come
// from any.
type Socket struct {
	ws     *websocket.Conn
	conn   *corkConn
	remote string

	dialled bool // what goes out is masked

	// Owned by the reader.
	message io.Reader // the one that is being read
	number  uint64    // of that message
}

// AcceptSocket upgrades an HTTP request. The caller has already decided about the Origin header (protocol
// section 6); the library's own rule lets every same-host origin in and is switched off. On an error the
// response has been written.
func AcceptSocket(w http.ResponseWriter, r *http.Request, opts SocketOptions) (*Socket, error) {
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
	return newSocket(ws, conn, r.RemoteAddr, opts), nil
}

// DialFunc opens a network connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// DialSocket opens the WebSocket at the URL address over a connection that dial makes. tlsConfig is for wss and may be nil
// otherwise. ctx ends the dial, not the socket.
func DialSocket(ctx context.Context, address string, dial DialFunc, tlsConfig *tls.Config, opts SocketOptions) (*Socket, error) {
	var conn *corkConn
	var keep func() bool
	open := func(within context.Context, network, address string, secure bool) (net.Conn, error) {
		raw, err := dial(within, network, address)
		if err != nil {
			return nil, err
		}
		if secure {
			if raw, err = handshakeTLS(within, raw, address, tlsConfig); err != nil {
				return nil, err
			}
		}
		opened := newCorkConn(raw, opts)
		// After a bad answer the library goes on reading, for seconds: not past the end of the dial, which frees the slot.
		conn, keep = opened, context.AfterFunc(ctx, opened.abort)
		return opened, nil
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return open(ctx, network, address, false)
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return open(ctx, network, address, true)
		},
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 16 << 10,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport: transport,
		// A peer that answers with a redirect would choose whom we talk to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	control := &controlFrames{}
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient: client, OnPingReceived: control.onPing, OnPongReceived: control.onPong,
	})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, &RefusedError{Status: resp.StatusCode}
		}
		return nil, unanswered(ctx, plain(err))
	}
	if !keep() { // ctx has ended in this moment, and the socket with it
		_ = ws.CloseNow()
		return nil, unanswered(ctx, ErrClosed)
	}
	s := newSocket(ws, conn, conn.RemoteAddr().String(), opts)
	s.dialled = true
	return s, nil
}

// errUnanswered means that the peer closed the TCP connection in place of an answer to the TLS handshake or the upgrade.
var errUnanswered = errors.New("the peer closed the connection before it answered")

// plain removes the text of the HTTP client from an error.
func plain(err error) error {
	var around *url.Error
	if errors.As(err, &around) {
		err = around.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errUnanswered
	}
	return err
}

// unanswered says of a dial that its ctx has ended why that is. The abort at that moment and the end of ctx itself race for
// the error, and the abort's is about our own closed connection; one of the network's, that nobody took the connection, says
// more.
func unanswered(ctx context.Context, err error) error {
	var refused *net.OpError
	switch {
	case ctx.Err() == nil, errors.As(err, &refused) && refused.Op == "dial" && !errors.Is(err, context.Canceled):
		return err
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return ErrHandshakeTimeout
	default:
		return context.Cause(ctx)
	}
}

// RefusedError means that the other side answered the upgrade with a plain HTTP status.
type RefusedError struct{ Status int }

func (e *RefusedError) Error() string {
	if e.Status == http.StatusServiceUnavailable {
		return "the peer takes no more connections (HTTP 503)"
	}
	return fmt.Sprintf("the peer refused the WebSocket upgrade (HTTP %d %s)", e.Status, http.StatusText(e.Status))
}

func handshakeTLS(ctx context.Context, raw net.Conn, address string, config *tls.Config) (net.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			raw.Close()
			return nil, err
		}
		config.ServerName = host
	}
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return secured, nil
}

func newSocket(ws *websocket.Conn, conn *corkConn, remote string, opts SocketOptions) *Socket {
	ws.SetReadLimit(opts.ReadLimit)
	return &Socket{ws: ws, conn: conn, remote: remote}
}

// RemoteAddr is the peer's network address.
func (s *Socket) RemoteAddr() string { return s.remote }

// SetReadLimit changes the limit from the next message on. Safe for concurrent use.
func (s *Socket) SetReadLimit(n int64) { s.ws.SetReadLimit(n) }

// Await blocks until a message begins. It holds no buffer, so an idle connection costs none.
func (s *Socket) Await() (err error) {
	_, s.message, err = s.ws.Reader(context.Background())
	return readFault(err, s.conn.failed.Load())
}

// readFault marks an error of the WebSocket library as ErrViolation if the peer caused it by breaking the WebSocket
// protocol. The library does not tell such errors apart from lost connections, so it is the network connection that
// tells: connFailed reports whether one of its reads or writes returned an error.
func readFault(err error, connFailed bool) error {
	switch {
	case err == nil, connFailed, websocket.CloseStatus(err) != -1, errors.Is(err, ErrMessageTooBig),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrViolation, err)
	}
}

// mayRest reports whether the wait for a message can be had by rest, once the socket is spent.
func (s *Socket) mayRest() bool { return s.conn.ahead.raw != nil && s.conn.inner != nil }

// spent reports whether all that has come has been read, by the library too. Only for a socket that may rest.
func (s *Socket) spent() bool {
	return s.conn.inner.Buffered() == 0 && !s.conn.ahead.has()
}

// settle lifts the deadline of the last message, before a rest.
func (s *Socket) settle() { _ = s.conn.timeMessage() } // what fails here the next read reports

// rest blocks until a message begins, or none will any more: Await then says why. It takes little stack.
func (s *Socket) rest() { s.conn.ahead.wait() }

// Read appends the message that has begun to buf. What it allocates grows with what has arrived, never with what a
// header claims.
func (s *Socket) Read(buf []byte) ([]byte, error) {
	s.number++
	s.conn.message.Store(s.number)
	defer s.conn.message.Store(0)
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(len(buf), leastBuffer)) // twice, where append would go on in fifths
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
func (s *Socket) Write(data []byte, text bool) error {
	kind := websocket.MessageBinary
	if text {
		kind = websocket.MessageText
	}
	return writeError(s.ws.Write(context.Background(), kind, data))
}

// Ping sends a WebSocket ping and waits for the pong, for limit at most. The socket stays as it is either way.
func (s *Socket) Ping(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.ws.Ping(ctx)
}

// Cork holds back what is written from now on, until Flush.
func (s *Socket) Cork() { s.conn.cork() }

// Flush writes what is held back; uncork ends the holding. It calls movedOn whenever the operating system has taken a part.
func (s *Socket) Flush(uncork bool, movedOn func()) error {
	return writeError(s.conn.flush(uncork, movedOn))
}

// Abort closes the socket at once and never blocks.
func (s *Socket) Abort() { s.conn.abort() }

// release frees what the library holds for the socket. Only for the reading goroutine, after its last Read.
func (s *Socket) release() {
	s.conn.abort()
	s.conn.left()
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
