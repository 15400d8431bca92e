package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// refuseWrites makes each further write to an open file of this process fail, by a descriptor that may only read.
func refuseWrites(t *testing.T, path string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range open {
		if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err != nil || name != path {
			continue
		}
		var fd int
		if _, err := fmt.Sscan(entry.Name(), &fd); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := syscall.Dup3(int(file.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s is not open", path)
}

// A background write that fails is counted. Its pause doubles up to a minute.
func TestTransportCountsFailedBackgroundWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	synctest.Test(t, func(t *testing.T) {
		node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.book = book })
		refuseWrites(t, path)
		book.Add(madeUpPeer(1))
		time.Sleep(time.Second)
		node.wantCount(actors.BookWriteErrors, 1)
		time.Sleep(5 * time.Minute)
		node.wantCount(actors.BookWriteErrors, 9) // after 1, 3, 7, 15, 31, 63, 123, 183 and 243 s
	})
}
