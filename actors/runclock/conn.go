package runclock

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Conn judges the deadlines of a network connection by the running clock: if a deadline of the connection below
// passes in a standstill of this process, it is set again for the time that is left, and the read or write goes on. It
// lies below TLS, since a TLS connection is unusable after a write that timed out.
type Conn struct {
	net.Conn
	clock *Clock
	read  deadline
	write deadline
}

// Wrap returns conn with its deadlines judged by clock. Deadlines are set as before, in real time; one that has
// passed already ends reads or writes at once, whatever the clock says. With a nil clock it returns conn itself.
func Wrap(conn net.Conn, clock *Clock) net.Conn {
	if clock == nil {
		return conn
	}
	return &Conn{Conn: conn, clock: clock}
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil || !c.RenewRead(err) {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	for written := 0; ; {
		n, err := c.Conn.Write(p[written:])
		if written += n; err == nil || !c.write.renew(c.clock, err, c.Conn.SetWriteDeadline) {
			return written, err
		}
	}
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.read.change(c.clock, t, c.Conn.SetReadDeadline)
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.write.change(c.clock, t, c.Conn.SetWriteDeadline)
}

// RenewRead reports whether the read deadline that err tells of has time left, and sets it for that time.
func (c *Conn) RenewRead(err error) bool {
	return c.read.renew(c.clock, err, c.Conn.SetReadDeadline)
}

// CloseWrite ends our half of the connection, where it has halves.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// deadline is one direction's deadline. The goroutine that reads or writes renews it, any goroutine changes it. Each
// call gets the method that sets the deadline of the connection below: a field for it would be the larger half of the state.
type deadline struct {
	mu  sync.Mutex
	due time.Time // on the running clock; zero: none, or passed when it was set
}

func (d *deadline) change(clock *Clock, t time.Time, set func(time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = time.Time{}
	if !t.IsZero() {
		now := time.Now()
		if left := t.Sub(now); left > 0 {
			d.due = clock.At(now).Add(left)
		}
	}
	return set(t)
}

// renew reports whether the deadline that err tells of has time left, and sets it for that time.
func (d *deadline) renew(clock *Clock, err error, set func(time.Time) error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.IsZero() {
		return false
	}
	now := time.Now()
	left := clock.Left(now, d.due)
	return left > 0 && set(now.Add(left)) == nil
}
