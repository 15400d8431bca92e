package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// ErrDialTimeout means that the context of a dial reached its deadline before the WebSocket was open.
var ErrDialTimeout = errors.New("the dial timed out")

// DialFunc opens a network connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dial opens the WebSocket at the URL address over a connection from dial. tlsConfig is for wss and may be nil
// otherwise. ctx bounds the dial, not the life of the socket.
func Dial(ctx context.Context, address string, dial DialFunc, tlsConfig *tls.Config, opts Options) (*Conn, error) {
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
		// After an invalid answer the library reads on for seconds. The end of ctx stops that, which frees the slot.
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
		// A redirect would let the peer choose our next peer.
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
	if !keep() { // ctx has ended just now, and has closed the socket
		_ = ws.CloseNow()
		return nil, unanswered(ctx, ErrClosed)
	}
	s := newConn(ws, conn, conn.RemoteAddr().String(), opts)
	s.dialled = true
	return s, nil
}

// errUnanswered means that the peer closed the TCP connection instead of answering the TLS handshake or the upgrade.
var errUnanswered = errors.New("the peer closed the connection before it answered")

// plain removes the HTTP client's text from an error.
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

// unanswered returns the reason why a dial failed. When ctx ends, the abort of the connection and ctx itself race for
// the error; the abort's error is only about our own closed connection. A network error of the dial, such as a refused
// connection, says more.
func unanswered(ctx context.Context, err error) error {
	var refused *net.OpError
	switch {
	case ctx.Err() == nil, errors.As(err, &refused) && refused.Op == "dial" && !errors.Is(err, context.Canceled):
		return err
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return ErrDialTimeout
	default:
		return context.Cause(ctx)
	}
}

// RefusedError means that the peer answered the upgrade with another HTTP status than 101.
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
