//go:build unix

package main

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// As systemd starts it: the socket is there before the node, and the node says when it is ready, that it is well, and
// when it stops.
func TestUnderServiceManager(t *testing.T) {
	dir, err := os.MkdirTemp("", "node") // short: the path of a socket has a limit
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	said, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" run --admin "" --data-dir "$1"`, self, filepath.Join(dir, "data"))
	cmd.Env = append(os.Environ(), asBinary+"=1", "LISTEN_FDS=1", "WATCHDOG_USEC=100000", "NOTIFY_SOCKET="+said.LocalAddr().String())
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3, the first that is passed on
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hear := func(want string) string {
		t.Helper()
		if err := said.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		for buffer := make([]byte, 1024); ; {
			n, err := said.Read(buffer)
			if err != nil {
				t.Fatalf("%s is not heard: %v", want, err)
			}
			if text := string(buffer[:n]); strings.HasPrefix(text, want) {
				return text
			}
		}
	}
	if text := hear("READY=1"); !strings.Contains(text, "is listening on ws://"+ln.Addr().String()) {
		t.Errorf("ready: %s", text)
	}
	hear("WATCHDOG=1")
	hear("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	hear("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A listener that ends for good ends the node, which says so. The test holds the listening socket too, and shuts it
// down.
func TestEndOfListeningEndsTheNode(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" run --output json --admin "" --data-dir "$1"`, self, t.TempDir())
	cmd.Env = append(os.Environ(), asBinary+"=1", "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3, the first that is passed on
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if last = lines.Text(); strings.Contains(last, `"event":"listening"`) {
			if err := syscall.Shutdown(int(socket.Fd()), syscall.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
		}
	}
	var failed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != exitFailed {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	if !strings.Contains(last, `"event":"stopped"`) || !strings.Contains(last, "listening ended") || !strings.Contains(stderr.String(), "start it again") {
		t.Errorf("last line %s, standard error %s", last, stderr.String())
	}
}

func TestMan(t *testing.T) {
	dir := t.TempDir()
	if status, _, stderr := command(t.TempDir(), "man", dir); status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for _, name := range []string{"node.1", "node-run.1", "node-top.1", "node-bench.1"} {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.Contains(string(page), "/tmp") {
			t.Errorf("%s: %v, %.200s", name, err, page)
		}
	}
	if status, _, stderr := command(t.TempDir(), "man", filepath.Join(dir, "not", "there")); status != exitUsage || !strings.Contains(stderr, "make the directory first") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
