package control

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/settings"
)

func TestSocketModeIsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, &fakeNode{})
	info, err := os.Stat(SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
}

func TestSocketWorksBelowALongPath(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc/self/fd for a shorter path")
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 200), strings.Repeat("y", 200))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(dir).Get(t.Context(), "status"); !errors.Is(err, ErrNoNode) {
		t.Errorf("before: %v", err)
	}
	client := serve(t, dir, &fakeNode{})
	if _, err := client.Get(t.Context(), "status"); err != nil {
		t.Error(err)
	}
}

// A killed node leaves its socket behind.
func TestListenReplacesAStaleSocket(t *testing.T) {
	dir := t.TempDir()
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: SocketPath(dir), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	if _, err := NewClient(dir).Get(t.Context(), "status"); !errors.Is(err, ErrNoNode) {
		t.Errorf("with a stale socket: %v", err)
	}
	client := serve(t, dir, &fakeNode{})
	if _, err := client.Get(t.Context(), "status"); err != nil {
		t.Error(err)
	}
}

func TestListenKeepsAFileInPlaceOfTheSocket(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(SocketPath(dir), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(dir, settings.NoGroup, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file is taken for a socket")
	}
	if kept, _ := os.ReadFile(SocketPath(dir)); string(kept) != "precious" {
		t.Error("the file is gone")
	}
}

func TestCloseRemovesSocketAndEndsRequests(t *testing.T) {
	dir := t.TempDir()
	node := &fakeNode{block: true}
	server, err := Listen(dir, settings.NoGroup, NewHandler(node, 1<<20), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.Serve()
	ended := make(chan error)
	go func() {
		_, err := NewClient(dir).Request(context.Background(), MessageRequest{Peer: "bob", Type: "chat"})
		ended <- err
	}()
	for node.received() == 0 {
		runtime.Gosched()
	}
	if err := server.Close(t.Context()); err != nil {
		t.Error(err)
	}
	var reported *Error
	if err := <-ended; !errors.As(err, &reported) || reported.Code == CodeTimeout {
		t.Errorf("a request under way ends with %v", err)
	}
	if _, err := os.Lstat(SocketPath(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}
