//go:build unix

package control

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func modeAndGroup(t *testing.T, path string) (fs.FileMode, uint32) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm(), info.Sys().(*syscall.Stat_t).Gid
}

// A control group may use the socket and enter the directory, but not list it or read its files.
func TestControlGroupMayUseTheSocket(t *testing.T) {
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	group := append(groups, os.Getegid())[0]
	if os.Geteuid() == 0 {
		group = 12345 // root may give a file to any group
	}
	for before, after := range map[fs.FileMode]fs.FileMode{0o700: 0o710, 0o750: 0o710, 0o770: 0o710, 0o755: 0o755} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, before); err != nil {
			t.Fatal(err)
		}
		_, owned := modeAndGroup(t, dir)
		server, err := Listen(dir, group, NewHandler(&fakeNode{}, 1<<20), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		server.Serve()
		if mode, gid := modeAndGroup(t, SocketPath(dir)); mode != 0o660 || gid != uint32(group) {
			t.Errorf("the socket has mode %o and group %d, want 660 and %d", mode, gid, group)
		}
		want := uint32(group)
		if before == 0o755 {
			want = owned // every user may enter it already
		}
		if mode, gid := modeAndGroup(t, dir); mode != after || gid != want {
			t.Errorf("a directory of mode %o has mode %o and group %d, want %o and %d", before, mode, gid, after, want)
		}
		if _, err := NewClient(dir).Get(t.Context(), "status"); err != nil {
			t.Error(err)
		}
		if err := server.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A group that the process must not give files to ends the start, and leaves no socket behind.
func TestControlGroupOfOthersIsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may give a file to any group")
	}
	dir := t.TempDir()
	if _, err := Listen(dir, 0, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("the socket belongs to the group of root")
	}
	if _, err := os.Lstat(SocketPath(dir)); err == nil {
		t.Error("the socket is still there")
	}
}
