package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
)

func TestCorkGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, testOptions())
		p.ours.Cork(true)
		for i := range 64 {
			if err := p.ours.Write(make([]byte, i), false); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.conn.Writes.Load(); n != 0 {
			t.Errorf("%d writes while corked, want 0", n)
		}
		want := 64*2 + 63*64/2 // headers of 2 bytes and the payloads
		if n := held(p.ours); n != want {
			t.Errorf("%d bytes held back, want %d", n, want)
		}
		if err := p.ours.Flush(false, func() {}); err != nil {
			t.Fatal(err)
		}
		if err := p.ours.Write([]byte("x"), false); err != nil || p.conn.Writes.Load() != 1 {
			t.Errorf("after a flush that keeps the cork: %v, %d writes", err, p.conn.Writes.Load())
		}
		if err := p.ours.Flush(true, func() {}); err != nil {
			t.Fatal(err)
		}
		if err := p.ours.Write([]byte("y"), true); err != nil {
			t.Fatal(err)
		}
		if n := p.conn.Writes.Load(); n != 3 {
			t.Errorf("%d writes at the end, want 3", n)
		}
		for i := range 66 {
			size := min(i, 1)
			if i < 64 {
				size = i
			}
			if got := sockettest.ReadOne(t, p.theirs); len(got) != size {
				t.Fatalf("message %d has %d bytes, want %d", i, len(got), size)
			}
		}
	})
}

// The reader sends a pong at once while nothing is corked, without waiting for the next message.
func TestCorkLetsControlFramesPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, testOptions())
		go func() { _ = p.ours.Await() }()
		go p.theirs.Read(context.Background())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := p.theirs.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the pong took %v", took)
		}
		p.ours.Cork(true)
		if err := p.theirs.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a ping while corked: %v, want no pong before the flush", err)
		}
		if held(p.ours) == 0 {
			t.Error("the pong is not among what is held back")
		}
	})
}

func TestCorkKeepsNoBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, testOptions())
		go func() {
			for {
				if _, _, err := p.theirs.Read(context.Background()); err != nil {
					return
				}
			}
		}()
		p.ours.Cork(true)
		for range 40 {
			if err := p.ours.Write(make([]byte, 10_000), false); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.ours.Flush(false, func() {}); err != nil {
			t.Fatal(err)
		}
		if p.ours.conn.held != nil {
			t.Errorf("%d bytes of buffer kept, want none", cap(p.ours.conn.held.data))
		}
		p.ours.Write([]byte("x"), false)
		if err := p.ours.Flush(true, func() {}); err != nil || p.ours.conn.held != nil {
			t.Errorf("an idle connection holds a buffer (%v)", err)
		}
	})
}

func TestWriteDeadlineEndsBlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, testOptions())
		start := time.Now()
		if err := p.ours.Write(make([]byte, 1<<20), false); err != ErrWriteTimeout {
			t.Errorf("got %v, want ErrWriteTimeout", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
	})
}

// A recent deadline serves the next writes, too, but never for longer than the timeout, and never for less than
// fifteen sixteenths of it.
func TestWriteDeadlineIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 16 * time.Second
		opts := testOptions()
		opts.WriteTimeout = timeout
		p := newPair(t, opts)
		reading := make(chan struct{})
		go func() {
			for range 17 {
				sockettest.ReadOne(t, p.theirs)
			}
			close(reading)
		}()
		time.Sleep(timeout) // whatever the handshake has set is over
		p.conn.Deadlines.Store(0)
		for range 17 { // in 8 s, so one in two sets a deadline: 0, 1.5, 3, … s
			if err := p.ours.Write([]byte("x"), false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(timeout / 32)
		}
		<-reading
		if n := p.conn.Deadlines.Load(); n != 6 {
			t.Errorf("%d deadlines for 17 writes, want 6", n)
		}
		start := time.Now()
		if err := p.ours.Write(make([]byte, 1<<20), false); err != ErrWriteTimeout {
			t.Errorf("got %v, want ErrWriteTimeout", err)
		}
		if took := time.Since(start); took != timeout-timeout/16 {
			t.Errorf("it took %v, want %v: the deadline of a write a sixteenth of it ago", took, timeout-timeout/16)
		}
	})
}

// deadlineConn records the last write deadline and their number.
type deadlineConn struct {
	net.Conn
	last time.Time
	n    int
}

func (c *deadlineConn) SetWriteDeadline(t time.Time) error {
	c.last, c.n = t, c.n+1
	return c.Conn.SetWriteDeadline(t)
}

// TLS answers a request for new keys inside a read: a deadline that is left from our last write would break the
// connection.
func TestCorkLeavesNoDeadlineUnderTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	peer := tls.Client(far, &tls.Config{InsecureSkipVerify: true})
	heard := make(chan string, 1)
	go func() {
		buf := make([]byte, 1)
		_, _ = io.ReadFull(peer, buf)
		heard <- string(buf)
	}()
	below := &deadlineConn{Conn: near}
	c := newCorkConn(tls.Server(below, &tls.Config{Certificates: server.TLS.Certificates}), testOptions())
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "x" || below.n != 2 || !below.last.IsZero() {
		t.Errorf("%q arrived; %d deadlines, the last %v; want one that is lifted again", got, below.n, below.last)
	}
}

// held returns the number of corked bytes.
func held(s *Conn) int {
	s.conn.mu.lock()
	defer s.conn.mu.unlock()
	if s.conn.held == nil {
		return 0
	}
	return len(s.conn.held.data)
}
