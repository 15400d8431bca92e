package supervisor

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// refuseWrites makes writes to an open file of this process fail until restore is called: its descriptor may only read.
func refuseWrites(t *testing.T, path string) (restore func()) {
	t.Helper()
	fd := descriptorOf(t, path)
	saved, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	replace := func(with int) {
		if err := syscall.Dup3(with, fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	replace(int(file.Fd()))
	return func() {
		replace(saved)
		_ = syscall.Close(saved)
	}
}

// descriptorOf returns the descriptor of an open file.
func descriptorOf(t *testing.T, path string) (fd int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && name == path {
			if fd, err = strconv.Atoi(entry.Name()); err != nil {
				t.Fatal(err)
			}
			return fd
		}
	}
	t.Fatalf("%s is not open", path)
	return 0
}

// A background write that fails is counted. Its pause doubles up to a minute.
func TestTransportCountsFailedBackgroundWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	synctest.Test(t, func(t *testing.T) {
		node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.book = book })
		restore := refuseWrites(t, path)
		book.Add(madeUpPeer(1))
		time.Sleep(time.Second)
		node.wantCount(actors.BookWriteErrors, 1)
		time.Sleep(5 * time.Minute)
		node.wantCount(actors.BookWriteErrors, 9) // after 1, 3, 7, 15, 31, 63, 123, 183 and 243 s
		restore()
	})
}
