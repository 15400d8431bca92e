package refpeer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// Options are the identity and the behaviour of a peer. Only Identity is required.
type Options struct {
	Identity *Identity

	// Pong makes the peer answer pings. Some deployed nodes do.
	Pong bool
	// Stall leaves the socket unread after the handshake, until Conn.Resume.
	Stall bool
	// CountOnly counts frames and drops them unopened, so that many peers cost little CPU time.
	CountOnly bool
	// CountSize is the minimum size in bytes of a frame that CountOnly counts, to exclude pings; 0: count all.
	CountSize int
	// Late opens frames when they are received, so that reading keeps up with any sender. It excludes Pong.
	Late bool
	// Features are announced in the handshake; deployed nodes announce none.
	Features []string
	// Session makes the peer negotiate session/1; nil: it knows nothing of it.
	Session *SessionOptions
	// Bind marks every SMSG frame with its connection, as nodes of this project do. With Session it is always on.
	Bind bool
	// Spoil modifies the handshake payload before it is sent.
	Spoil func(payload map[string]any)
	// SpoilAck replaces Spoil for a responder that needs the handshake message, as received.
	SpoilAck func(handshake []byte, payload map[string]any)
	// Allow holds the IDs that a responder accepts in a handshake; nil: all.
	Allow []string
	// Refuse is the reason with which a responder refuses every peer; empty: none is refused.
	Refuse string
	// RefuseNow reports, at each handshake, whether a responder refuses it; nil: never.
	RefuseNow func() bool

	// Header is added to the initiator's HTTP request, for example Origin or Host.
	Header http.Header
	// TLS is the configuration of Dial for wss://, and of Listen if it is set.
	TLS *tls.Config
	// RecvBuffer is the kernel's receive buffer of a dialled socket in bytes; 0: the default.
	RecvBuffer int
	// NetDial opens the network connection of Dial, for example in an in-memory network; nil: net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial opens a connection to url (ws:// or wss://) and does the initiator's handshake, which proves the responder.
// It returns a *StatusError if the upgrade failed and a *RefusedError if the responder refused.
func Dial(ctx context.Context, url string, o Options) (*Conn, error) {
	dialer := websocket.Dialer{
		HandshakeTimeout: handshakeTimeout,
		TLSClientConfig:  o.TLS,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dial := o.NetDial
			if dial == nil {
				dial = new(net.Dialer).DialContext
			}
			conn, err := dial(ctx, network, addr)
			if err != nil || o.RecvBuffer == 0 {
				return conn, err
			}
			return conn, conn.(*net.TCPConn).SetReadBuffer(o.RecvBuffer)
		},
	}
	ws, resp, err := dialer.DialContext(ctx, url, o.Header)
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
			return nil, &StatusError{Code: resp.StatusCode}
		}
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	ws.SetReadLimit(maxMessageSize)
	// The handshake has its own deadline. An earlier end of ctx closes the socket.
	stop := context.AfterFunc(ctx, func() { ws.NetConn().Close() })
	conn, err := initiate(ws, o)
	if !stop() || err != nil {
		ws.Close()
		return nil, errors.Join(err, ctx.Err())
	}
	return conn, nil
}
