package runclock

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Conn measures the deadlines of a network connection with the running clock. If a deadline of the inner connection
// passes during a standstill, it is set again for the remaining time, and the read or write continues. It belongs
// below TLS, since a TLS connection is unusable after a write timeout.
type Conn struct {
	net.Conn
	clock *Clock
	read  deadline
	write deadline
}

// Wrap returns conn with deadlines measured by clock. Deadlines are set in real time; one in the past ends reads or
// writes at once. With a nil clock it returns conn itself.
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
		if written += n; err == nil || !c.RenewWrite(err) {
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

// RenewRead handles a read error. If err is an expired read deadline with time left on the running clock, it sets the
// deadline again and returns true.
func (c *Conn) RenewRead(err error) bool {
	return c.read.renew(c.clock, err, c.Conn.SetReadDeadline)
}

// RenewWrite is RenewRead for a write error and the write deadline.
func (c *Conn) RenewWrite(err error) bool {
	return c.write.renew(c.clock, err, c.Conn.SetWriteDeadline)
}

// CloseWrite closes the sending half. It returns errors.ErrUnsupported if the inner connection cannot.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// deadline is the deadline of one direction. The goroutine that reads or writes renews it, any goroutine changes it.
// The setter of the inner connection is a parameter, since a field for it would double the state.
type deadline struct {
	mu  sync.Mutex
	due time.Time // on the running clock; zero: none, or in the past when it was set
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

// renew reports whether err is this deadline and time is left on the running clock, and sets it again.
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
