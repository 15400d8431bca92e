package demo

import (
	"net"
	"sync"
)

// tap controls the reads of all connections of a member: while it is shut, reads block, and no connection is closed.
type tap struct {
	mu   sync.Mutex
	flow chan struct{} // closed while the tap is open
}

func newTap() *tap {
	t := &tap{flow: make(chan struct{})}
	close(t.flow)
	return t
}

func (t *tap) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flow = make(chan struct{})
}

func (t *tap) open() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.flow:
	default:
		close(t.flow)
	}
}

func (t *tap) current() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flow
}

func (t *tap) wrap(conn net.Conn) net.Conn {
	return &tapped{Conn: conn, tap: t, closed: make(chan struct{})}
}

// tapped is a connection with its reads behind a tap.
type tapped struct {
	net.Conn
	tap    *tap
	once   sync.Once
	closed chan struct{}
}

func (c *tapped) Read(p []byte) (int, error) {
	select {
	case <-c.tap.current():
	case <-c.closed:
		return 0, net.ErrClosed
	}
	return c.Conn.Read(p)
}

func (c *tapped) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
