package admin

import (
	"context"
	"net"
	"net/http"
	"testing"
)

// countedConn records that it was closed.
type countedConn struct {
	net.Conn
	closed bool
}

func (c *countedConn) Close() error {
	c.closed = true
	return nil
}

func TestClientsEvictLongestIdleThenLongestBusy(t *testing.T) {
	c := newClients(3)
	conns := make([]*countedConn, 8)
	for i := range conns {
		conns[i] = &countedConn{}
	}
	in := func(path string, conn net.Conn, during func()) {
		req, err := http.NewRequestWithContext(withConn(context.Background(), conn), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.track(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during() })).ServeHTTP(nil, req)
	}
	want := func(closed ...int) {
		t.Helper()
		for i, conn := range conns {
			expected := false
			for _, k := range closed {
				expected = expected || k == i
			}
			if conn.closed != expected {
				t.Errorf("connection %d: closed %v, want %v", i, conn.closed, expected)
			}
		}
	}
	for _, conn := range conns[:3] {
		c.onState(conn, http.StateNew)
	}
	want()
	in("/metrics", conns[0], func() { // 0 is busy, 1 has been idle longest
		c.onState(conns[3], http.StateNew)
		want(1)
	})
	c.onState(conns[1], http.StateClosed)
	in("/healthz", conns[2], func() {
		in("/healthz", conns[3], func() {
			in("/healthz", conns[0], func() { // all are busy, 2 for longest
				c.onState(conns[4], http.StateNew)
				want(1, 2)
			})
		})
	})
	for _, k := range []int{0, 2, 3, 4} {
		c.onState(conns[k], http.StateClosed)
	}
	c.onState(conns[5], http.StateNew)
	in(streamPath, conns[5], func() { // a stream has its own limit
		c.onState(conns[6], http.StateNew)
		if c.idle.Len()+c.busy.Len() != 1 {
			t.Errorf("%d idle, %d busy", c.idle.Len(), c.busy.Len())
		}
	})
	c.onState(conns[5], http.StateClosed)
	c.onState(conns[6], http.StateClosed)
	if c.idle.Len()+c.busy.Len() != 0 {
		t.Errorf("%d idle, %d busy are left", c.idle.Len(), c.busy.Len())
	}
	want(1, 2)
}
