package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
)

// tcpPair returns the two ends of a TCP connection.
func tcpPair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialled, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return accepted.(*net.TCPConn), dialled.(*net.TCPConn)
}

// corkedWriter returns a buffer that writes to a connection.
func corkedWriter(t *testing.T, conn net.Conn) *corked {
	t.Helper()
	w := newCorked()
	if w.to = newReadAhead(conn); w.to.raw == nil {
		t.Skip("this system cannot ask a connection whether it is ready")
	}
	return w
}

// fill writes until the operating system accepts nothing more within a moment. It returns the number of bytes written.
func fill(t *testing.T, w *corked, conn net.Conn) (written int) {
	t.Helper()
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := w.Write(make([]byte, maxQuick))
		written += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return written
		}
		if n != maxQuick || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
	}
}

// A write to a peer that reads nothing waits, ends at its deadline with the number of bytes that were accepted, and
// continues when the peer reads.
func TestCorkedWriteWaitsForThePeer(t *testing.T) {
	near, far := tcpPair(t)
	w := corkedWriter(t, near)
	written := fill(t, w, near)
	_ = near.SetWriteDeadline(time.Time{})
	done := make(chan error, 1)
	go func() {
		n, err := w.Write(make([]byte, maxQuick))
		written += n
		done <- errors.Join(err, near.CloseWrite())
	}()
	read, err := io.Copy(io.Discard, far)
	if werr := <-done; werr != nil || err != nil || int(read) != written {
		t.Errorf("%d of %d bytes arrived: %v, %v", read, written, err, werr)
	}
}

// A write deadline that passes in a standstill ends no write.
func TestCorkedWriteExcludesStandstill(t *testing.T) {
	near, far := tcpPair(t)
	written := fill(t, corkedWriter(t, near), near)
	clock := &runclock.Clock{}
	clock.Start()
	defer clock.Stop()
	conn := runclock.Wrap(near, clock)
	w := corkedWriter(t, conn)
	resume := runclock.FreezeForTest(clock)
	_ = conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	time.AfterFunc(600*time.Millisecond, func() { _, _ = io.CopyN(io.Discard, far, int64(written)) })
	if n, err := w.Write(make([]byte, maxQuick)); n != maxQuick || err != nil {
		t.Fatalf("wrote %d bytes, %v; want all of them after the standstill", n, err)
	}
	resume()
	_ = conn.SetWriteDeadline(time.Now().Add(-time.Second))
	if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v, want a timeout", err)
	}
}

// Errors are those of the operating system and of package net.
func TestCorkedWriteReportsErrors(t *testing.T) {
	near, far := tcpPair(t)
	w := corkedWriter(t, near)
	_ = near.CloseWrite()
	var call *os.SyscallError
	if n, err := w.Write([]byte("x")); n != 0 || !errors.As(err, &call) || call.Syscall != "write" {
		t.Errorf("after the end of our half: %d, %v", n, err)
	}
	_ = far.Close()
	_ = near.Close()
	if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the close: %d, %v", n, err)
	}
}

// Only a small write of a connection that writes alone bypasses the scheduler's accounting.
func TestCorkedWriteBypassesTheSchedulerOnlyAlone(t *testing.T) {
	for name, c := range map[string]struct {
		alone bool
		size  int
		want  int
	}{
		"alone":        {alone: true, size: 100, want: 1},
		"among others": {alone: false, size: 100, want: 0},
		"large":        {alone: true, size: maxQuick, want: 0}, // with its header
	} {
		near, far := tcpPair(t)
		conn := newCorkConn(near, testOptions())
		if conn.open = true; conn.ahead.raw == nil {
			t.Skip("this system cannot ask a connection whether it is ready")
		}
		conn.cork(c.alone)
		if err := conn.writeMessage(frameBinary, make([]byte, c.size), false); err != nil {
			t.Fatal(err)
		}
		held, calls := conn.held, 0
		try := held.try
		held.try = func(fd uintptr) bool {
			calls++
			return try(fd)
		}
		if err := conn.flush(true, func() {}); err != nil || calls != c.want {
			t.Errorf("%s: %d attempts, %v; want %d", name, calls, err, c.want)
		}
		held.try = try
		if _, err := io.ReadFull(far, make([]byte, c.size+2)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
