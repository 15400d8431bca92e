package peerbook

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mappedResident returns the resident bytes of the memory map of a file.
func mappedResident(t *testing.T, path string) (resident int) {
	t.Helper()
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	inside := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch {
		case strings.Contains(name, "-"): // the addresses of the next map
			inside = strings.HasSuffix(lines.Text(), path)
		case inside && name == "Rss":
			var kilobytes int
			if _, err := fmt.Sscan(value, &kilobytes); err != nil {
				t.Fatal(err)
			}
			resident += kilobytes << 10
		}
	}
	return resident
}

// The file of a book is no memory of the process once it is loaded or written.
func TestBookFileLeavesResidentMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if got := mappedResident(t, path); got != 0 {
			t.Errorf("%s: %d bytes of the file are resident", when, got)
		}
	}
	for _, name := range []string{"first", "second"} { // the second write reads the pages of the first
		for i := range 2000 {
			b.Add(Peer{ID: fmt.Sprintf("%032x", i*7919), Name: name})
		}
		if err := b.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() < 400<<10 {
		t.Fatalf("the file is too small for this test: %v, %v", info.Size(), err)
	}
	check("after a write")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = Open(path); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	check("after a start")
}
