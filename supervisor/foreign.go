package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// foreignConn contains the faults of a network connection that the program made: a panic in one of its methods becomes
// an error of that call, so the connection ends like one that the network broke. runtime.Goexit ends the calling
// goroutine; the goroutines of a connection handle that, so only Close runs on a goroutine of its own.
type foreignConn struct {
	net.Conn
	local, remote net.Addr // asked for once, while the wrapper is guarded
}

// containConn returns conn with its faults contained. Connections of package net are returned as they are. It panics if
// the methods LocalAddr and RemoteAddr of conn do; an address that is nil becomes that of under, if there is one.
func containConn(conn, under net.Conn) net.Conn {
	if isOfNet(conn) {
		return conn
	}
	c := &foreignConn{Conn: conn, local: conn.LocalAddr(), remote: conn.RemoteAddr()}
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

// contain turns a panic into an error. It is deferred.
func contain(what string, err *error) {
	if fault := recover(); fault != nil {
		*err = panicked(what, fault)
	}
}

func panicked(what string, fault any) error {
	return fmt.Errorf("%s panicked: %s", what, actors.Quote(fmt.Sprint(fault)))
}

// Read implements net.Conn.
func (c *foreignConn) Read(p []byte) (n int, err error) {
	defer contain("the connection's Read", &err)
	n, err = c.Conn.Read(p)
	if n < 0 || n > len(p) {
		return 0, errors.New("the connection's Read returned an invalid count")
	}
	return n, err
}

// Write implements net.Conn.
func (c *foreignConn) Write(p []byte) (n int, err error) {
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
func (c *foreignConn) Close() error {
	return apart("the connection's Close", c.Conn.Close)
}

// CloseWrite ends our half of the connection, where it has halves.
func (c *foreignConn) CloseWrite() (err error) {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	defer contain("the connection's CloseWrite", &err)
	return half.CloseWrite()
}

// LocalAddr implements net.Conn.
func (c *foreignConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *foreignConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *foreignConn) SetDeadline(t time.Time) (err error) {
	defer contain("the connection's SetDeadline", &err)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *foreignConn) SetReadDeadline(t time.Time) (err error) {
	defer contain("the connection's SetReadDeadline", &err)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *foreignConn) SetWriteDeadline(t time.Time) (err error) {
	defer contain("the connection's SetWriteDeadline", &err)
	return c.Conn.SetWriteDeadline(t)
}

// foreignClock contains the panics of a program's clock: the time of the operating system takes the place of its answer.
func foreignClock(wall func() time.Time) func() time.Time {
	return func() (now time.Time) {
		defer func() {
			if recover() != nil {
				now = time.Now()
			}
		}()
		return wall()
	}
}

// foreignRandom contains the panics of a program's source of random numbers: they become errors.
type foreignRandom struct{ inner io.Reader }

// Read implements io.Reader.
func (r foreignRandom) Read(p []byte) (n int, err error) {
	defer contain("the source of random numbers", &err)
	return r.inner.Read(p)
}
