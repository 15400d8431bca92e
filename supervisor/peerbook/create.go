package peerbook

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// errEmptyBook is a book's file with nothing in it: bbolt would take it for a new one, and the allowlist and who is
// revoked would be gone without a word.
var errEmptyBook = errors.New("it is empty")

// makeBook makes an empty book where there is none. It is made elsewhere and linked into place, so that a file at path
// was whole from its first moment, whenever the process dies, and one that another process has just made stays.
func makeBook(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil // opening it says what it is
	case err == nil && info.Size() == 0:
		return errEmptyBook
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".peers-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := temp.Close(); err != nil {
		return err
	}
	db, err := bolt.Open(temp.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
