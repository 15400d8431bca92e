package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const ipA, ipB = "10.0.0.1", "10.0.0.2"

// pair returns a network of two hosts with one connection between them.
func pair(t *testing.T) (n *Network, a, b *Host, near, far net.Conn) {
	t.Helper()
	n = New(1)
	a, b = n.Attach(ipA), n.Attach(ipB)
	ln, err := b.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	if near, err = a.DialContext(t.Context(), "tcp", ipB+":9091"); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close(); ln.Close() })
	return n, a, b, near, far
}

// bubble runs a test on virtual time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v instead of %q", got, err, text)
	}
}

// silent fails the test if a byte arrives within one minute.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	defer c.SetReadDeadline(time.Time{})
	began := time.Now()
	n, err := c.Read(make([]byte, 1))
	if took := time.Since(began); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Minute {
		t.Fatalf("read %d bytes, %v, after %v", n, err, took)
	}
}

func TestStreamBehavesLikeTCP(t *testing.T) {
	bubble(t, "bytes arrive after the latency, in order, before the end of the stream", func(t *testing.T) {
		n, _, _, near, far := pair(t)
		n.SetLatency(ipA, ipB, 100*time.Millisecond)
		began := time.Now()
		send(t, near, "slow")
		n.SetLatency(ipA, ipB, 0)
		send(t, near, "fast")
		near.Close()
		expect(t, far, "slowfast")
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the last byte: %v", err)
		}
	})
	bubble(t, "a stalled reader blocks the writer at Capacity", func(t *testing.T) {
		_, _, _, near, far := pair(t)
		near.SetWriteDeadline(time.Now().Add(10 * time.Second))
		began := time.Now()
		wrote, err := near.Write(make([]byte, Capacity+1))
		if wrote != Capacity || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("wrote %d, %v after %v", wrote, err, time.Since(began))
		}
		if _, err := io.ReadFull(far, make([]byte, Capacity)); err != nil {
			t.Error(err)
		}
		near.SetWriteDeadline(time.Time{})
		send(t, near, "on")
		expect(t, far, "on")
	})
	bubble(t, "an end still reads after CloseWrite", func(t *testing.T) {
		_, _, _, near, far := pair(t)
		send(t, near, "last")
		if err := near.(*end).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		expect(t, far, "last")
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the last byte: %v", err)
		}
		send(t, far, "answer")
		expect(t, near, "answer")
	})
	bubble(t, "a past deadline wakes a blocked reader", func(t *testing.T) {
		_, _, _, near, _ := pair(t)
		failed := make(chan error)
		go func() { _, err := near.Read(make([]byte, 1)); failed <- err }()
		synctest.Wait()
		near.SetReadDeadline(time.Unix(1, 0))
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
	bubble(t, "a closed end answers data with a reset", func(t *testing.T) {
		_, _, _, near, far := pair(t)
		far.Close()
		send(t, near, "into the void")
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
}

func TestFaultsHitTheirPathOnly(t *testing.T) {
	bubble(t, "a stall holds one direction and loses no byte", func(t *testing.T) {
		n, _, _, near, far := pair(t)
		n.Stall(ipA, ipB)
		send(t, near, "held")
		send(t, far, "goes")
		expect(t, near, "goes")
		silent(t, far)
		n.Resume(ipA, ipB)
		expect(t, far, "held")
	})
	bubble(t, "a cut resets both ends", func(t *testing.T) {
		n, _, _, near, far := pair(t)
		n.Links(ipB, ipA)[0].Cut()
		for _, c := range []net.Conn{near, far} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
		}
	})
	bubble(t, "a vanished end fails, and the other end receives nothing", func(t *testing.T) {
		n, _, _, near, far := pair(t)
		n.Links(ipA, ipB)[0].Vanish(ipB)
		if _, err := far.Read(make([]byte, 1)); err == nil {
			t.Error("the vanished end still reads")
		}
		far.Close()
		send(t, near, "lost")
		silent(t, near)
	})
	bubble(t, "a diverted dial reaches the relay", func(t *testing.T) {
		n, a, _, _, _ := pair(t)
		ln, err := n.Attach("10.0.0.3").Listen(1)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		n.Divert(ipA, ipB, "10.0.0.3")
		near, err := a.DialContext(t.Context(), "tcp", ipB+":1")
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		far, err := ln.Accept()
		if err != nil || far.LocalAddr().String() != "10.0.0.3:1" || n.Clean(ipB, ipA) {
			t.Errorf("at %v, %v, clean %t", far.LocalAddr(), err, n.Clean(ipB, ipA))
		}
		far.Close()
	})
	bubble(t, "Corrupt flips one bit of one write", func(t *testing.T) {
		n, _, _, near, far := pair(t)
		n.Corrupt(ipA, ipB, 1)
		send(t, near, "\x00\x00")
		got := make([]byte, 2)
		io.ReadFull(far, got)
		if n := strings.Count(strings.TrimLeft(string(got), "\x00"), ""); got[0]|got[1] == 0 || n == 0 {
			t.Errorf("%x arrived", got)
		}
		send(t, near, "fine")
		expect(t, far, "fine")
		if !n.Links(ipA, ipB)[0].Damaged() {
			t.Error("not marked as damaged")
		}
	})
}

func TestHostsCrashAndReturn(t *testing.T) {
	dial := func(h *Host, timeout time.Duration) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		began := time.Now()
		conn, err := h.DialContext(ctx, "tcp", ipB+":9091")
		if err == nil {
			conn.Close()
		}
		return time.Since(began), err
	}
	bubble(t, "a partition blocks dials or refuses them, until it heals", func(t *testing.T) {
		n, a, _, near, far := pair(t)
		n.Partition([]string{ipA}, []string{ipB})
		if took, err := dial(a, 7*time.Second); took != 7*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %v", err, took)
		}
		n.Refuse(ipA, ipB)
		if took, err := dial(a, 7*time.Second); took != 0 || !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("%v after %v", err, took)
		}
		send(t, near, "still here")
		n.Heal()
		expect(t, far, "still here")
		if _, err := dial(a, 7*time.Second); err != nil {
			t.Error(err)
		}
	})
	bubble(t, "a killed process resets its connections and refuses dials", func(t *testing.T) {
		n, a, b, near, far := pair(t)
		b.Crash(false)
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := dial(a, time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		n.Attach(ipB).Listen(9091)
		if _, err := dial(a, time.Second); err != nil {
			t.Error(err)
		}
	})
	bubble(t, "a machine without power stays silent until Attach", func(t *testing.T) {
		n, a, b, near, _ := pair(t)
		b.Crash(true)
		silent(t, near)
		if took, _ := dial(a, time.Second); took != time.Second {
			t.Errorf("the dial ended after %v", took)
		}
		send(t, near, "hello?")
		n.Attach(ipB)
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
	bubble(t, "Sockets counts dialled ends at once and accepted ends from their upgrade", func(t *testing.T) {
		n, a, b, near, far := pair(t)
		if a.Sockets() != 1 || b.Sockets() != 0 {
			t.Errorf("%d and %d sockets before the upgrade", a.Sockets(), b.Sockets())
		}
		send(t, far, "HTTP/1.1 101 Switching Protocols\r\n")
		if b.Sockets() != 1 {
			t.Errorf("%d sockets after the upgrade", b.Sockets())
		}
		near.Close()
		far.Close()
		if a.Sockets()+b.Sockets() != 0 || a.Peak() != 1 || b.Peak() != 1 || len(n.Leaks()) != 0 {
			t.Errorf("%d and %d sockets at the end, leaks %v", a.Sockets(), b.Sockets(), n.Leaks())
		}
	})
}
