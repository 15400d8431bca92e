//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// wrapped is a shell that starts the node like a service manager, with the node's process ID in the environment.
var wrapped = []string{"sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"`}

// listeningSocket returns a listening TCP socket and its file, which the node inherits as descriptor 3.
func listeningSocket(t *testing.T) (*net.TCPListener, *os.File) {
	t.Helper()
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	file, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return ln, file
}

// startService starts this test binary as a node under a service manager.
func startService(t *testing.T, home string, socket *os.File, env ...string) *nodetest.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return nodetest.StartProcess(t, nodetest.ProcessOptions{
		Home: home, Binary: self, Under: wrapped, Files: []*os.File{socket},
		Env: append(env, asBinary+"=1", "LISTEN_FDS=1"),
	}, "--listen", "") // the listener is the inherited one
}

func TestServiceManagerHearsOfStartHealthAndStop(t *testing.T) {
	home := nodetest.NewHome(t)
	said, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(home, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	ln, socket := listeningSocket(t)
	node := startService(t, home, socket, "WATCHDOG_USEC=100000", "NOTIFY_SOCKET="+said.LocalAddr().String())
	hear := func(want string) string {
		t.Helper()
		if err := said.SetReadDeadline(time.Now().Add(nodetest.Patience)); err != nil {
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
	node.Signal(syscall.SIGTERM)
	hear("STOPPING=1")
	if code := node.Wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// The test shares the listening socket with the node and shuts it down.
func TestNodeStopsWhenListeningEnds(t *testing.T) {
	_, socket := listeningSocket(t)
	node := startService(t, nodetest.NewHome(t), socket)
	if err := syscall.Shutdown(int(socket.Fd()), syscall.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	if code := node.Wait(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	all := node.All()
	if last := all[len(all)-1]; last.Kind != "stopped" || !strings.Contains(last.Line, "listening ended") {
		t.Errorf("the last event is %s", last.Line)
	}
	if !strings.Contains(node.Stderr(), "start it again") {
		t.Errorf("standard error: %s", node.Stderr())
	}
}

func TestManPagesAreReproducible(t *testing.T) {
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
	status, _, stderr := command(t.TempDir(), "man", filepath.Join(dir, "not", "there"))
	if status != exitUsage || !strings.Contains(stderr, "make the directory first") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
