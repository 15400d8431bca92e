package admin

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/Snider/go-p2p/supervisor/accept"
)

// clients bounds the connections to the server, so that clients that neither send nor read cannot block others: above
// the limit, a new connection evicts the connection that has been idle longest, or else the one with the longest
// running request. Event streams have their own limit and are not evicted. Safe for concurrent use.
type clients struct {
	limit int // connections, event streams excepted

	mu   sync.Mutex
	idle *accept.Waiting[net.Conn] // before a request, inside its header, or after the answer
	busy *accept.Waiting[net.Conn] // in a handler
}

func newClients(limit int) *clients {
	return &clients{limit: limit, idle: accept.NewWaiting[net.Conn](), busy: accept.NewWaiting[net.Conn]()}
}

// onState is the server's ConnState.
func (c *clients) onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if victim := c.enter(conn); victim != nil {
			_ = victim.Close()
		}
	case http.StateHijacked, http.StateClosed:
		c.mu.Lock()
		c.idle.Remove(conn)
		c.busy.Remove(conn)
		c.mu.Unlock()
	}
}

// enter adds a connection and returns the connection that it evicts, or nil.
func (c *clients) enter(conn net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle.Len() == 0 { // evict before conn is added, or conn would be the victim
		victim, _ := c.busy.Evict("", -1, c.limit-1)
		c.idle.Add(conn, "")
		return victim
	}
	victim, _ := c.idle.Evict("", -1, max(0, c.limit-1-c.busy.Len()))
	c.idle.Add(conn, "")
	return victim
}

// clientKey is the key of the connection in a request's context.
type clientKey struct{}

// withConn is the server's ConnContext.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, clientKey{}, conn)
}

// track marks a connection as busy while next handles its request.
func (c *clients) track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(clientKey{}).(net.Conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		c.begin(conn, r.URL.Path == streamPath)
		defer c.end(conn)
		next.ServeHTTP(w, r)
	})
}

// begin moves a connection from idle to busy. A connection that was evicted meanwhile is in neither set.
func (c *clients) begin(conn net.Conn, stream bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle.Remove(conn) && !stream {
		c.busy.Add(conn, "")
	}
}

// end moves a connection to idle, as the last to be evicted. StateClosed removes a connection that was evicted
// meanwhile.
func (c *clients) end(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy.Remove(conn)
	c.idle.Add(conn, "")
}
