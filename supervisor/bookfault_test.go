//go:build unix

package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/datadir"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Only content that cannot be read is called damage.
func TestBookNamesTheCause(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		want string
	}{
		"directory":            {func(path string) error { return os.Mkdir(path, 0o700) }, "it is not a regular file but a directory: move it away"},
		"FIFO":                 {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "it is not a regular file but a FIFO: move it away"},
		"link to a device":     {func(path string) error { return os.Symlink("/dev/zero", path) }, "it is not a regular file but a device: move it away"},
		"link to nothing":      {func(path string) error { return os.Symlink("/nowhere/x", path) }, "cannot be opened"},
		"file for a directory": {func(path string) error { return os.WriteFile(filepath.Dir(path)+"/../file", nil, 0o600) }, "not a directory"},
		"no JSON":              {func(path string) error { return os.WriteFile(path, make([]byte, 9000), 0o600) }, "is damaged"},
		"empty":                {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data", "peers.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			if name == "file for a directory" {
				path = filepath.Join(filepath.Dir(path), "..", "file", "peers.db")
			}
			_, err := OpenPeerRegistry(path)
			if !containsText(err, tt.want) || strings.Contains(err.Error(), "damaged") != (tt.want == "is damaged") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.EACCES, syscall.EIO} {
		if err := openFault("p", &os.PathError{Op: "open", Path: "p", Err: cause}); containsText(err, "damaged") || !containsText(err, cause.Error()) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

// A write that the file system refuses names the cause and what to do.
func TestBookWriteNamesTheCause(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT} {
		remedy, _ := datadir.Remedy(cause)
		err := writeFault("p", &os.PathError{Op: "write", Path: "p", Err: cause})
		if !errors.Is(err, ErrBookWrite) || !errors.Is(err, cause) || !containsText(err, remedy) {
			t.Errorf("%v: %v", cause, err)
		}
	}
	if err := writeFault("p", errors.New("no errno")); !errors.Is(err, ErrBookWrite) || containsText(err, "check the disk") {
		t.Errorf("an unknown cause: %v", err)
	}
}

// A background write that fails is counted and logged; its pause doubles up to a minute, and nothing is lost.
func TestBookReportsFailedBackgroundWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	synctest.Test(t, func(t *testing.T) {
		node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.book = book })
		if err := book.disk.db.Close(); err != nil { // every write fails from now on
			t.Fatal(err)
		}
		began := time.Now()
		book.Add(testPeer(t, 1))
		time.Sleep(time.Second)
		node.wantCount(actors.BookWriteErrors, 1)
		time.Sleep(time.Until(began.Add(time.Hour)))
		if n := node.count(actors.BookWriteErrors); n < 60 || n > 66 {
			t.Errorf("%d attempts in an hour, want about one a minute", n)
		}
		book.disk = nil // the test has closed it
	})
}

// The file of seen ids never blocks a start and is not read without bound.
func TestSeenFileMustBeAFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"FIFO":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"directory":        func(path string) error { return os.Mkdir(path, 0o700) },
		"huge": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			seen := filepath.Join(dir, "seen")
			if err := make(seen); err != nil {
				t.Fatal(err)
			}
			book := openBook(t, filepath.Join(dir, "peers.db"))
			cfg := DefaultTransportConfig()
			cfg.ListenAddr = ""
			node, err := NewTransport(mustKeys(t), book, cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = node.Start()
			if !containsText(err, seen) || !containsText(err, "move it away") {
				t.Errorf("start: %v", err)
			}
			if _, err := os.Lstat(seen); err != nil {
				t.Errorf("it was removed: %v", err)
			}
		})
	}
}

func mustKeys(t *testing.T) *crypto.NodeManager {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
