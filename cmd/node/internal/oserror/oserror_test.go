package oserror

import (
	"errors"
	"net"
	"testing"
)

// Each function recognises its own error of the system, and no other.
func TestSystemErrorsAreRecognised(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, inUse := net.Listen("tcp", listener.Addr().String())
	listener.Close()
	_, refused := net.Dial("tcp", listener.Addr().String())
	for name, c := range map[string]struct {
		err                   error
		refused, reset, inUse bool
	}{
		"address in use":     {err: inUse, inUse: true},
		"connection refused": {err: refused, refused: true},
		"connection reset":   {err: resetError(t), reset: true},
		"another error":      {err: errors.New("another error")},
		"no error":           {},
	} {
		if Refused(c.err) != c.refused || Reset(c.err) != c.reset || InUse(c.err) != c.inUse {
			t.Errorf("%s (%v): refused %v, reset %v, in use %v", name, c.err, Refused(c.err), Reset(c.err), InUse(c.err))
		}
	}
}

// resetError returns the read error of a connection that its peer aborts.
func resetError(t *testing.T) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.(*net.TCPConn).SetLinger(0); err != nil { // close sends a reset
		t.Fatal(err)
	}
	peer.Close()
	_, err = conn.Read(make([]byte, 1))
	return err
}
