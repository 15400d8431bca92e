package accept

import (
	"net"
	"os"
	"sync"
)

// reserve holds file descriptors open. It closes one when the process has no free descriptor.
type reserve struct {
	mu   sync.Mutex
	want int
	held []*os.File
}

func newReserve(n int) *reserve {
	r := &reserve{want: n}
	r.fill()
	return r
}

// fill opens descriptors up to the wanted number, or to the limit of the process.
func (r *reserve) fill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.held) < r.want {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		r.held = append(r.held, file)
	}
}

// release closes one descriptor. It returns false if none is held.
func (r *reserve) release() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) == 0 {
		return false
	}
	_ = r.held[len(r.held)-1].Close() // the file was never written
	r.held = r.held[:len(r.held)-1]
	return true
}

// close closes all descriptors permanently.
func (r *reserve) close() {
	r.mu.Lock()
	r.want = 0
	r.mu.Unlock()
	for r.release() {
	}
}

// lend wraps conn so that its Close refills the reserve. It returns conn itself if the reserve is always empty.
func (r *reserve) lend(conn net.Conn) net.Conn {
	r.mu.Lock()
	want := r.want
	r.mu.Unlock()
	if want == 0 {
		return conn
	}
	r.fill()
	return &lent{Conn: conn, reserve: r}
}

// lent is a connection that may use a descriptor of the reserve.
type lent struct {
	net.Conn
	reserve *reserve
}

// Close implements net.Conn.
func (c *lent) Close() error {
	err := c.Conn.Close()
	c.reserve.fill()
	return err
}
