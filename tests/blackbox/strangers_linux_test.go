package blackbox

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// strangerUID is the user ID of a user without permissions.
const strangerUID = 65534

// TestOtherUsersCannotOpenTheSocket, even if they may enter the data directory.
func TestOtherUsersCannotOpenTheSocket(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can act as another user")
	}
	a := start(t)
	for _, folder := range []string{a.Home(), a.Data()} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	failure := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread, which acts as another user, ends with the goroutine
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, strangerUID, 0, 0)
		conn, err := net.Dial("unix", a.Hello.Str("control"))
		if err == nil {
			_ = conn.Close()
		}
		failure <- err
	}()
	if err := <-failure; !errors.Is(err, syscall.EACCES) {
		t.Errorf("another user: %v, want %v", err, syscall.EACCES)
	}
	a.ok("status")
}
