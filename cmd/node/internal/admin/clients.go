package admin

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/Snider/go-p2p/supervisor/accept"
)

// clients bounds the connections to the server, so that clients that send nothing, or read nothing, keep no other out:
// beyond the limit a newcomer evicts the connection that has been idle longest, else the one whose request takes
// longest. Event streams have a limit of their own and are not evicted. Safe for concurrent use.
type clients struct {
	most int // connections, event streams excepted

	mu   sync.Mutex
	idle *accept.Waiting[net.Conn] // before a request, inside its header, or after the answer
	busy *accept.Waiting[net.Conn] // in a handler
}

func newClients(most int) *clients {
	return &clients{most: most, idle: accept.NewWaiting[net.Conn](), busy: accept.NewWaiting[net.Conn]()}
}

// onState is the server's ConnState.
func (c *clients) onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if victim := c.enter(conn); victim != nil {
			_ = victim.Close() // the client sees it or is gone
		}
	case http.StateHijacked, http.StateClosed:
		c.mu.Lock()
		c.idle.Remove(conn)
		c.busy.Remove(conn)
		c.mu.Unlock()
	}
}

// enter adds a connection, and returns the one that makes room for it, or nil.
func (c *clients) enter(conn net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle.Len() == 0 { // conn must not be its own victim
		victim, _ := c.busy.Evict("", -1, c.most-1)
		c.idle.Add(conn, "")
		return victim
	}
	victim, _ := c.idle.Evict("", -1, max(0, c.most-1-c.busy.Len()))
	c.idle.Add(conn, "")
	return victim
}

// clientKey is where a request's context has its connection.
type clientKey struct{}

// withConn is the server's ConnContext.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, clientKey{}, conn)
}

// track keeps count of the connections in next.
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

// begin takes the connection from those that are idle; one that was evicted meanwhile is in no set.
func (c *clients) begin(conn net.Conn, stream bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle.Remove(conn) && !stream {
		c.busy.Add(conn, "")
	}
}

// end makes the connection the one that has been idle shortest. After an eviction StateClosed takes it out again.
func (c *clients) end(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy.Remove(conn)
	c.idle.Add(conn, "")
}
