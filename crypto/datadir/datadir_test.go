//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestReadFileAcceptsRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path("short"), []byte("1234"), 0o600))
	must(os.WriteFile(path("long"), []byte("12345"), 0o600))
	must(os.Symlink(path("short"), path("link")))
	must(os.Symlink("/dev/zero", path("zero")))
	must(os.Symlink(path("loop"), path("loop")))
	must(syscall.Mkfifo(path("fifo"), 0o600))
	ln, err := net.Listen("unix", path("socket"))
	must(err)
	defer ln.Close()
	for name, want := range map[string]error{
		"short": nil, "link": nil, "long": ErrTooLarge, "zero": ErrNotRegular, "fifo": ErrNotRegular, "socket": ErrNotRegular,
		".": ErrNotRegular, "missing": fs.ErrNotExist, "loop": syscall.ELOOP, "short/x": syscall.ENOTDIR,
	} {
		data, err := ReadFile(path(name), 4)
		if !errors.Is(err, want) || err == nil && string(data) != "1234" {
			t.Errorf("%s: %q, %v, want %v", name, data, err, want)
		}
		if _, known := Remedy(err); err != nil && !known {
			t.Errorf("%s: no remedy for %v", name, err)
		}
	}
}

func TestCheckRefusesWritableDirectories(t *testing.T) {
	dir := t.TempDir()
	own := os.Getegid()
	for _, tt := range []struct {
		mode fs.FileMode
		gid  int
		want error
	}{
		{0o700, own, nil},
		{0o755, own, nil},
		{0o775, own, nil}, // the group is this process's own
		{0o775, 54321, ErrExposed},
		{0o702, own, ErrExposed},
		{0o777 | fs.ModeSticky, own, ErrExposed},
	} {
		if tt.gid != own && os.Geteuid() != 0 {
			continue // only root can change the group
		}
		if err := errors.Join(os.Chown(dir, -1, tt.gid), os.Chmod(dir, tt.mode)); err != nil {
			t.Fatal(err)
		}
		if err := Check(dir); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("mode %v, group %d: %v, want %v", tt.mode, tt.gid, err, tt.want)
		}
	}
	if err := Check(filepath.Join(dir, "missing")); err != nil {
		t.Errorf("a directory that does not exist: %v", err)
	}
}

func TestRemedyCoversFileSystemErrors(t *testing.T) {
	for _, cause := range []error{
		syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.EACCES, syscall.EIO, ErrNotRegular,
	} {
		if remedy, known := Remedy(fmt.Errorf("x: %w", cause)); remedy == "" || !known {
			t.Errorf("%v: no remedy", cause)
		}
	}
	if remedy, known := Remedy(errors.New("invalid checksum")); known {
		t.Errorf("damaged content has the remedy of a file system error: %s", remedy)
	}
}
