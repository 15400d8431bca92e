package actors

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// pair is a socket of this node, its far end, and the network connection below it.
type pair struct {
	ours   *socket.Conn
	theirs *websocket.Conn
	conn   *sockettest.Conn
}

// newPair connects one. Bubble only.
func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{}
	p.ours, p.theirs, p.conn = sockettest.NewPair(t, func(w http.ResponseWriter, r *http.Request) (*socket.Conn, error) {
		return socket.Accept(w, r, openOptions())
	})
	return p
}

// openOptions returns the limits of an open connection of a default node.
func openOptions() socket.Options {
	limits := defaultLimits()
	opts := limits.Socket()
	opts.ReadLimit = limits.MaxMessageSize
	return opts
}
