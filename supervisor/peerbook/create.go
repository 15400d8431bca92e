package peerbook

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// errEmptyBook refuses a file of 0 bytes: bbolt would take it for a new one and lose allowlist and revocations
// silently.
var errEmptyBook = errors.New("it is empty")

// makeBook creates an empty book at path if there is no file. It is written under another name and linked into place,
// so that a file at path is always complete, and one that another process has just created stays.
func makeBook(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil // datadir.Open returns the error
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
