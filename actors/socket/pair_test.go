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
	n := sockettest.NewNetwork()
	accepted := make(chan *Conn, 1)
	ln := sockettest.Serve(t, n.Here, func(w http.ResponseWriter, r *http.Request) {
		s, err := Accept(w, r, opts)
		if err != nil {
			t.Error(err)
		}
		accepted <- s
	})
	p := &pair{theirs: sockettest.DialRaw(t, n.There, sockettest.HereURL)}
	p.ours, p.conn = <-accepted, ln.Conn()
	p.conn.Writes.Store(0)
	p.conn.Written.Store(0)
	t.Cleanup(func() {
		p.ours.Release()
		p.theirs.CloseNow()
	})
	return p
}

// testOptions returns the limits of a default node.
func testOptions() Options {
	return Options{ReadLimit: 1 << 20, MessageTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
}
