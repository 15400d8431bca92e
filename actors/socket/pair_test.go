package socket

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/sockettest"
)

// pair is a socket of this node, its far end, and the network connection below it.
type pair struct {
	ours   *Conn
	theirs *websocket.Conn
	conn   *sockettest.Conn
}

// newPair connects one. Bubble only.
func newPair(t *testing.T, opts Options) *pair {
	t.Helper()
	p := &pair{}
	p.ours, p.theirs, p.conn = sockettest.NewPair(t, accept(opts))
	return p
}

// accept returns the upgrade of a server with these limits.
func accept(opts Options) sockettest.Upgrade[*Conn] {
	return func(w http.ResponseWriter, r *http.Request) (*Conn, error) { return Accept(w, r, opts) }
}

// testOptions returns the limits of a default node.
func testOptions() Options {
	return Options{ReadLimit: 1 << 20, MessageTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
}
