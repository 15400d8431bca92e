package blackbox

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unread returns the number of bytes in the pipe to the standard input of a node that it has not read yet.
func (n *node) unread() (count int) {
	n.t.Helper()
	pipe, ok := n.Stdin.(syscall.Conn)
	if !ok {
		n.t.Fatalf("standard input is a %T", n.Stdin)
	}
	conn, err := pipe.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) { count, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	if err != nil {
		n.t.Fatal(err)
	}
	return count
}

// TestStdinAwaitsTheFirstDial writes a line for a configured peer that does not answer the dial yet.
func TestStdinAwaitsTheFirstDial(t *testing.T) {
	t.Parallel()
	b := start(t, "--name", "beta")
	b.Signal(syscall.SIGSTOP)
	a := start(t, "--stdin", "--peer", b.Address())
	a.WriteLines(`{"to":"beta","type":"early","payload":1}`)
	for deadline := time.Now().Add(patience); a.unread() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the node has not read its standard input within %v", patience)
		}
	}
	b.Signal(syscall.SIGCONT)
	if got := b.Await("message", "message.type", "early").Message(); string(got.Payload) != "1" {
		t.Errorf("arrived as %+v", got)
	}
	if text := a.Stderr(); text != "" {
		t.Errorf("the line put something on standard error:\n%s", text)
	}
}
