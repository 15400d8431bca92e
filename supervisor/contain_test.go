package supervisor

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// faults are the ways in which a function of the program fails without an error.
var faults = map[string]func(){"panic": func() { panic("injected") }, "goexit": runtime.Goexit}

// faultyConn fails in one method, once armed.
type faultyConn struct {
	net.Conn
	armed  *atomic.Bool
	method string
	fail   func()
}

func (c *faultyConn) at(method string) {
	if c.method == method && c.armed.Load() {
		c.fail()
	}
}

func (c *faultyConn) Read(p []byte) (int, error)  { c.at("Read"); return c.Conn.Read(p) }
func (c *faultyConn) Write(p []byte) (int, error) { c.at("Write"); return c.Conn.Write(p) }

// Close fails after closing, so that the peer sees the end.
func (c *faultyConn) Close() error {
	err := c.Conn.Close()
	c.at("Close")
	return err
}
func (c *faultyConn) RemoteAddr() net.Addr { c.at("RemoteAddr"); return c.Conn.RemoteAddr() }
func (c *faultyConn) LocalAddr() net.Addr  { c.at("LocalAddr"); return c.Conn.LocalAddr() }
func (c *faultyConn) SetDeadline(t time.Time) error {
	c.at("SetDeadline")
	return c.Conn.SetDeadline(t)
}

func (c *faultyConn) SetReadDeadline(t time.Time) error {
	c.at("SetReadDeadline")
	return c.Conn.SetReadDeadline(t)
}

func (c *faultyConn) SetWriteDeadline(t time.Time) error {
	c.at("SetWriteDeadline")
	return c.Conn.SetWriteDeadline(t)
}

// A network connection of the program panics or calls runtime.Goexit, in any method, at the start or once open, on
// either side. Only that connection ends, and the next one works.
func TestFaultyConnCostsOneConnection(t *testing.T) {
	methods := []string{
		"Read", "Write", "Close", "RemoteAddr", "LocalAddr", "SetDeadline", "SetReadDeadline", "SetWriteDeadline",
	}
	for _, method := range methods {
		for kind, fail := range faults {
			for _, side := range []string{"dialled", "accepted"} {
				for _, open := range []bool{false, true} {
					name := side + " " + method + " " + kind
					if open {
						name += " once open"
					}
					t.Run(name, func(t *testing.T) { faultyConnOnce(t, method, side == "accepted", open, fail) })
				}
			}
		}
	}
}

func faultyConnOnce(t *testing.T, method string, accepted, open bool, fail func()) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var armed, first atomic.Bool
		armed.Store(!open)
		first.Store(true)
		faulty := func(s *nodeSetup) {
			s.options = []Option{WithConnWrapper(func(c net.Conn) net.Conn {
				if first.CompareAndSwap(true, false) {
					return &faultyConn{Conn: c, armed: &armed, method: method, fail: fail}
				}
				return c
			})}
		}
		plain := func(*nodeSetup) {}
		if accepted {
			faulty, plain = plain, faulty
		}
		a, b := startNode(t, n, 1, faulty), startNode(t, n, 2, plain)
		if c, err := a.Connect(&Peer{Address: b.addr}); err == nil {
			synctest.Wait()
			armed.Store(true)
			_ = c.Send(a.to(b.id(), "stats", nil)) // it may fail
			time.Sleep(a.cfg.PingInterval + time.Second)
			_ = a.Disconnect(context.Background(), b.id(), false) // it may be gone already
		}
		time.Sleep(time.Minute) // longer than every timeout
		a.wantSlots(0, 0)
		b.wantSlots(0, 0)
		a.dial(b)
		a.wantSlots(1, 0)
		b.wantSlots(1, 0)
	})
}

// faultyLog fails in one method.
type faultyLog struct {
	slog.Handler
	method  string
	fail    func()
	written *int // lines
}

func (h faultyLog) at(method string) {
	if h.method == method {
		h.fail()
	}
}

func (h faultyLog) Enabled(context.Context, slog.Level) bool { h.at("Enabled"); return true }
func (h faultyLog) Handle(context.Context, slog.Record) error {
	h.at("Handle")
	*h.written++
	return nil
}
func (h faultyLog) WithAttrs([]slog.Attr) slog.Handler { h.at("WithAttrs"); return h }
func (h faultyLog) WithGroup(string) slog.Handler      { h.at("WithGroup"); return h }

// A log handler method that panics or calls runtime.Goexit loses its line, attribute or group; the caller continues.
func TestFaultyLoggerCostsItsLine(t *testing.T) {
	for _, method := range []string{"Enabled", "Handle", "WithAttrs", "WithGroup"} {
		for kind, fail := range faults {
			var s options
			written, returned := 0, false
			WithLogger(slog.New(faultyLog{method: method, fail: fail, written: &written}))(&s)
			done := make(chan struct{})
			go func() { // Goexit would end the test's own goroutine
				defer close(done)
				s.log.With("a", 1).WithGroup("g").Error("a line")
				returned = true
			}()
			<-done
			want := 1
			if method == "Enabled" || method == "Handle" {
				want = 0
			}
			if !returned || written != want {
				t.Errorf("%s in %s: returned %v, %d lines written, want %d", kind, method, returned, written, want)
			}
		}
	}
}

// A clock that panics is replaced by the clock of the operating system. A random source that panics returns an error.
func TestFaultyClockAndRandomAreContained(t *testing.T) {
	var s options
	WithClock(func() time.Time { panic("injected") })(&s)
	if off := time.Since(s.wall()); off < 0 || off > time.Minute {
		t.Errorf("the clock is off by %v", off)
	}
	WithRandom(readerFunc(func([]byte) (int, error) { panic("injected") }))(&s)
	if n, err := s.rand.Read(make([]byte, 8)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// faultyListener fails once in Accept.
type faultyListener struct {
	net.Listener
	fail atomic.Pointer[func()]
}

func (l *faultyListener) Accept() (net.Conn, error) {
	if fail := l.fail.Swap(nil); fail != nil {
		(*fail)()
	}
	return l.Listener.Accept()
}

// A listener that panics or calls runtime.Goexit in Accept fails one accept call, which is counted.
func TestFaultyListenerCostsOneAccept(t *testing.T) {
	for kind, fail := range faults {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				ln, err := n.Attach("10.0.0.3").Listen(9091)
				if err != nil {
					t.Fatal(err)
				}
				faulty := &faultyListener{Listener: ln}
				faulty.fail.Store(&fail)
				a := startNode(t, n, 1)
				b := startNode(t, n, 2, func(s *nodeSetup) { s.options = []Option{WithListener(faulty)} })
				b.addr = "10.0.0.3:9091"
				a.dial(b)
				b.wantCount(actors.AcceptErrors, 1)
				if down := eventsOf[ListenerDown](b); len(down) != 0 {
					t.Errorf("%+v", down)
				}
			})
		})
	}
}

// An upgrade that ends its goroutine frees its slot at once, and the peer sees the end of the connection.
func TestFaultyUpgradeFreesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var armed atomic.Bool
		armed.Store(true)
		a := startNode(t, n, 1)
		b := startNode(t, n, 2, func(s *nodeSetup) {
			s.options = []Option{WithConnWrapper(func(c net.Conn) net.Conn {
				return &faultyConn{Conn: c, armed: &armed, method: "Write", fail: runtime.Goexit}
			})}
		})
		began := time.Now()
		if _, err := a.Connect(&Peer{Address: b.addr}); err == nil {
			t.Error("connected without an answer")
		}
		synctest.Wait()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the dial failed after %v", took)
		}
		b.wantSlots(0, 0)
		b.wantCount(actors.ActorRestarts, 0)
	})
}
