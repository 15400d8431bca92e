package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// containedConn contains the faults of a network connection made by the program. A panic in a method becomes an error
// of that call, so the connection ends as after a network error. runtime.Goexit ends the calling goroutine, which the
// goroutines of a connection handle, so only Close runs on its own goroutine.
type containedConn struct {
	net.Conn
	local, remote net.Addr // read once, under guard
}

// containConn returns conn with its faults contained. It returns connections of package net unchanged. It panics if
// LocalAddr or RemoteAddr of conn panics. A nil address is replaced by that of under, unless under is nil.
func containConn(conn, under net.Conn) net.Conn {
	if isOfNet(conn) {
		return conn
	}
	c := &containedConn{Conn: conn, local: conn.LocalAddr(), remote: conn.RemoteAddr()}
	if c.local == nil && under != nil {
		c.local = under.LocalAddr()
	}
	if c.remote == nil && under != nil {
		c.remote = under.RemoteAddr()
	}
	if c.local == nil || c.remote == nil {
		panic("the connection has no address")
	}
	return c
}

func isOfNet(conn net.Conn) bool {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	default:
		return false
	}
}

// contain turns a panic into an error. Use it with defer.
func contain(what string, err *error) {
	if fault := recover(); fault != nil {
		*err = panicked(what, fault)
	}
}

func panicked(what string, fault any) error {
	return fmt.Errorf("%s panicked: %s", what, actors.Quote(fmt.Sprint(fault)))
}

// Read implements net.Conn.
func (c *containedConn) Read(p []byte) (n int, err error) {
	defer contain("the connection's Read", &err)
	n, err = c.Conn.Read(p)
	if n < 0 || n > len(p) {
		return 0, errors.New("the connection's Read returned an invalid count")
	}
	return n, err
}

// Write implements net.Conn.
func (c *containedConn) Write(p []byte) (n int, err error) {
	defer contain("the connection's Write", &err)
	n, err = c.Conn.Write(p)
	switch {
	case n < 0 || n > len(p):
		return 0, errors.New("the connection's Write returned an invalid count")
	case n < len(p) && err == nil:
		return n, io.ErrShortWrite
	}
	return n, err
}

// Close implements net.Conn.
func (c *containedConn) Close() error {
	return apart("the connection's Close", c.Conn.Close)
}

// CloseWrite closes the sending half of the connection, if the connection supports it.
func (c *containedConn) CloseWrite() (err error) {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	defer contain("the connection's CloseWrite", &err)
	return half.CloseWrite()
}

// LocalAddr implements net.Conn.
func (c *containedConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *containedConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *containedConn) SetDeadline(t time.Time) (err error) {
	defer contain("the connection's SetDeadline", &err)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *containedConn) SetReadDeadline(t time.Time) (err error) {
	defer contain("the connection's SetReadDeadline", &err)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *containedConn) SetWriteDeadline(t time.Time) (err error) {
	defer contain("the connection's SetWriteDeadline", &err)
	return c.Conn.SetWriteDeadline(t)
}

// containedClock contains the panics of the program's clock: it then returns the time of the operating system.
func containedClock(wall func() time.Time) func() time.Time {
	return func() (now time.Time) {
		defer func() {
			if recover() != nil {
				now = time.Now()
			}
		}()
		return wall()
	}
}

// containedRandom turns the panics of the program's random source into errors.
type containedRandom struct{ inner io.Reader }

// Read implements io.Reader.
func (r containedRandom) Read(p []byte) (n int, err error) {
	defer contain("the source of random numbers", &err)
	return r.inner.Read(p)
}
