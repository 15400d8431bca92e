package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
)

// A program's wrapper is not bypassed, although it exposes the SyscallConn of the connection inside.
func TestReadAheadLeavesWrappersAlone(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if newReadAhead(conn).raw == nil {
		t.Error("a TCP connection is not read ahead")
	}
	if newReadAhead(struct{ *net.TCPConn }{conn.(*net.TCPConn)}).raw != nil {
		t.Error("a wrapper around a TCP connection is passed by")
	}
}

// Read-ahead works under the running clock, and a deadline that passes in a standstill ends no read, of a small or a
// large piece.
func TestReadAheadExcludesStandstill(t *testing.T) {
	for _, size := range []int{10, readAheadSize} {
		readsThroughStandstill(t, size)
	}
}

func readsThroughStandstill(t *testing.T, size int) {
	t.Helper()
	near, far := tcpPair(t)
	clock := &runclock.Clock{}
	clock.Start()
	defer clock.Stop()
	conn := runclock.Wrap(near, clock)
	ahead := newReadAhead(conn)
	if canReadAhead && ahead.raw == nil {
		t.Fatal("a TCP connection under the running clock is not read ahead")
	}
	resume := runclock.FreezeForTest(clock)
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	time.AfterFunc(600*time.Millisecond, func() { _, _ = far.Write([]byte("late")) })
	if n, err := ahead.Read(make([]byte, size)); n != 4 || err != nil {
		t.Fatalf("read %d bytes, %v; want the 4 that came in the standstill", n, err)
	}
	resume()
	if _, err := ahead.Read(make([]byte, size)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v, want a timeout", err)
	}
}

// A large read needs no buffer in between: it takes buffered data first, and then reads into the caller's memory.
func TestReadAheadReadsLargePiecesDirectly(t *testing.T) {
	near, far := tcpPair(t)
	r := newReadAhead(near)
	if r.raw == nil {
		t.Skip("this system cannot ask a connection whether it is ready")
	}
	if _, err := far.Write([]byte("first second")); err != nil {
		t.Fatal(err)
	}
	r.wait()
	for _, want := range []string{"first ", "second"} {
		if n, err := r.Read(make([]byte, len(want))); n != len(want) || err != nil {
			t.Fatalf("read %d bytes, %v", n, err)
		}
	}
	large := make([]byte, 3*readAheadSize/2)
	if _, err := far.Write(bytes.Repeat([]byte("x"), len(large))); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(large); n <= readAheadSize || err != nil || r.has() || string(large[n-1:n]) != "x" {
		t.Errorf("read %d bytes at once, %v; want more than %d", n, err, readAheadSize)
	} else if _, err := io.ReadFull(r, large[:len(large)-n]); err != nil {
		t.Error(err)
	}
	_ = far.CloseWrite()
	for range 2 {
		if n, err := r.Read(large); n != 0 || err != io.EOF || r.has() {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
	}
}
