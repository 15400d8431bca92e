package peerbook

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// An emptied file is refused as a book and left unchanged.
func TestBookRefusesAnEmptiedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, errEmptyBook) {
		t.Errorf("an emptied book: %v, want %v", err, errEmptyBook)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the file was changed: %v, %v", info, err)
	}
}

// Of 8 openers that create the same book at once, one gets it and the others get ErrInUse. No temporary file is left.
func TestBookIsMadeOnceByConcurrentOpeners(t *testing.T) {
	dir := t.TempDir()
	var opened atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			book, err := Open(filepath.Join(dir, "peers.db"))
			if err == nil {
				opened.Add(1)
				t.Cleanup(func() { book.Close() })
			} else if !errors.Is(err, ErrInUse) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	files, err := os.ReadDir(dir)
	if err != nil || opened.Load() != 1 || len(files) != 1 {
		t.Errorf("%d opened, files %v (%v); want one of each", opened.Load(), files, err)
	}
}
