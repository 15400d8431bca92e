package socket

import (
	"errors"
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

// Read-ahead works under the running clock, and a deadline that passes in a standstill ends no read.
func TestReadAheadExcludesStandstill(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
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
	if n, err := ahead.Read(make([]byte, 10)); n != 4 || err != nil {
		t.Fatalf("read %d bytes, %v; want the 4 that came in the standstill", n, err)
	}
	resume()
	if _, err := ahead.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v, want a timeout", err)
	}
}
