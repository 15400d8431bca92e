//go:build unix

package peerbook

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto/datadir"
)

const special = "it is not a regular file but a "

func mkdir(path string) error   { return os.Mkdir(path, 0o700) }
func mkfifo(path string) error  { return syscall.Mkfifo(path, 0o600) }
func besides(path string) error { return writeZeroes(filepath.Dir(path)+"/../file", 0) }

func linkTo(target string) func(path string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

func writeZeroes(path string, size int) error { return os.WriteFile(path, make([]byte, size), 0o600) }

// Only content that cannot be read is called damage.
func TestBookNamesTheCause(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		want string
	}{
		"directory":            {mkdir, special + "directory: move it away"},
		"FIFO":                 {mkfifo, special + "FIFO: move it away"},
		"link to a device":     {linkTo("/dev/zero"), special + "device: move it away"},
		"link to nothing":      {linkTo("/nowhere/x"), "cannot be opened"},
		"file for a directory": {besides, "not a directory"},
		"no JSON":              {func(path string) error { return writeZeroes(path, 9000) }, "is damaged"},
		"empty":                {func(path string) error { return writeZeroes(path, 0) }, "is damaged"},
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
			_, err := Open(path)
			if !containsText(err, tt.want) || strings.Contains(err.Error(), "damaged") != (tt.want == "is damaged") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.EACCES, syscall.EIO} {
		err := openFault("p", &os.PathError{Op: "open", Path: "p", Err: cause})
		if containsText(err, "damaged") || !containsText(err, cause.Error()) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

// A write that the file system refuses names the cause and what to do.
func TestBookWriteNamesTheCause(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT} {
		remedy, _ := datadir.Remedy(cause)
		err := writeFault("p", &os.PathError{Op: "write", Path: "p", Err: cause})
		if !errors.Is(err, ErrWrite) || !errors.Is(err, cause) || !containsText(err, remedy) {
			t.Errorf("%v: %v", cause, err)
		}
	}
	if err := writeFault("p", errors.New("no errno")); !errors.Is(err, ErrWrite) || containsText(err, "check the disk") {
		t.Errorf("an unknown cause: %v", err)
	}
}

// A background write that fails is reported; its pause doubles up to a minute, and nothing is lost.
func TestBookRetriesFailedBackgroundWrites(t *testing.T) {
	book := openBook(t, filepath.Join(t.TempDir(), "peers.db"))
	synctest.Test(t, func(t *testing.T) {
		if err := book.disk.db.Close(); err != nil { // every write fails from now on
			t.Fatal(err)
		}
		began := time.Now()
		var mu sync.Mutex
		var failures []time.Duration
		book.Serve(func(string) bool { return false }, func(err error) {
			if !errors.Is(err, ErrWrite) {
				t.Errorf("reported %v, want %v", err, ErrWrite)
			}
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, time.Since(began))
		})
		book.Add(testPeer(t, 1))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []time.Duration{1, 3, 7, 15, 31, 63, 123, 183, 243} // seconds
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(failures, want) {
			t.Errorf("failures after %v, want %v", failures, want)
		}
		book.mu.Lock()
		defer book.mu.Unlock()
		if len(book.changed) != 1 {
			t.Errorf("%d changes wait for the next write, want 1", len(book.changed))
		}
		book.pending.Stop()
		book.disk = nil // the test has closed it
	})
}

// Another program shortens the file while it is open: lookups in the archive are reported, changes fail, and the book
// can be closed.
func TestBookReportsAShortenedFile(t *testing.T) {
	for pages := range 6 {
		book, path := writtenSmall(t, 100)
		var reported error
		book.Serve(func(string) bool { return false }, func(err error) { reported = err })
		if err := os.Truncate(path, int64(pages*os.Getpagesize())); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, known := book.Get(testPeer(t, 1).ID); known || !errors.Is(reported, ErrRead) {
				t.Errorf("%d pages: known %v, reported %v", pages, known, reported)
			}
			if err := book.Allow(testKey(t, 1)); !errors.Is(err, ErrWrite) {
				t.Errorf("%d pages: a change: %v", pages, err)
			}
		}
		if err := book.Close(); !errors.Is(err, ErrWrite) {
			t.Errorf("%d pages: close: %v", pages, err)
		}
	}
}
