package peerbook

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// Errors of the file.
var (
	ErrInUse = errors.New("another process is using it") // it is locked
	ErrWrite = errors.New("the peer book cannot be written")
)

// Buckets of the file, and keys of the bucket "state".
var (
	bucketPeers   = []byte("peers")   // node ID → Peer as JSON
	bucketAllowed = []byte("allowed") // public key → nothing
	bucketRevoked = []byte("revoked") // public key → nothing
	bucketState   = []byte("state")

	bucketAliases   = []byte("aliases")   // node ID → alias
	bucketSuspended = []byte("suspended") // node ID → end, RFC 3339
	bucketChanges   = []byte("changes")   // Record.Key → stamp, 8 bytes, and Record.Value

	keyAuthMode = []byte("auth")
	keyRunning  = []byte("running") // present while a transport runs; absent after a graceful end
)

// store is the book's file, a bbolt database: a commit is atomic whenever the process dies, and writes only the pages
// that it changes. The lock on the file keeps a second node off the directory.
type store struct {
	db     *bolt.DB
	path   string
	file   *os.File     // of db
	length atomic.Int64 // bytes of the file after the last write
}

// Open opens the book at path, or creates an empty one, and sets its mode to 0600. Its errors name the file and the
// cause, and leave the file unchanged: ErrInUse if another process has it open, an error of the file system, or
// damage.
func Open(path string, options ...Option) (*Book, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, openFault(path, err)
	}
	b := New(options...)
	b.writing.Lock() // no background write before the end
	defer b.writing.Unlock()
	s := &store{path: path}
	open := func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		if s.file, err = datadir.Open(name, flag, mode); err == nil {
			err = makePrivate(s.file)
		}
		return s.file, err
	}
	err := guardFaults(func() (err error) {
		if err := makeBook(path); err != nil {
			return err
		}
		opts := &bolt.Options{Timeout: 100 * time.Millisecond, OpenFile: open, FreelistType: bolt.FreelistMapType}
		if err := checkSize(path, *opts); err != nil {
			return err
		}
		if s.db, err = bolt.Open(path, 0o600, opts); err != nil {
			return err
		}
		if err := s.read(b); err != nil {
			return err
		}
		s.noteLength()
		b.disk, b.entries.archive.db, b.entries.archive.guard = s, s.db, s.guard
		b.loaded()
		s.dropPages()
		return nil
	})
	if err != nil {
		b.disk = nil
		if s.db != nil {
			_ = guardFaults(s.db.Close)
		}
		if s.file != nil {
			_ = s.file.Close() // a fault in Open or Close leaves it open, and locked
		}
		return nil, openFault(path, err)
	}
	return b, nil
}

// openFault explains why the book at path does not open. Only unreadable content is called damage.
func openFault(path string, err error) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("peer book %s: %w: stop the node that runs there, or give another data directory",
			path, ErrInUse)
	}
	if remedy, known := datadir.Remedy(err); known {
		return fmt.Errorf("peer book %s cannot be opened: %w: %s", path, err, remedy)
	}
	return fmt.Errorf("peer book %s is damaged (%w): restore it from a copy, or move it away to start with an empty one",
		path, err)
}

// makePrivate removes the permissions of other users: write access to the book permits peers to connect.
func makePrivate(file *os.File) error {
	info, err := file.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = file.Chmod(0o600)
	}
	return err
}

// guardFaults turns the memory fault of reading a truncated file through bbolt's memory map into an error.
func guardFaults(do func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("reading it failed: %v", r)
		}
	}()
	return do()
}

// guard is guardFaults for a transaction. If another program has shortened the file, it begins none: a memory fault in
// a transaction can leave locks of bbolt held, for which each later one would wait without end.
func (s *store) guard(transact func() error) error {
	if info, err := s.file.Stat(); err == nil && info.Size() < s.length.Load() {
		return fmt.Errorf("it has %d bytes of %d", info.Size(), s.length.Load())
	}
	return guardFaults(transact)
}

// noteLength records the length of the file for guard.
func (s *store) noteLength() {
	if info, err := s.file.Stat(); err == nil {
		s.length.Store(info.Size())
	}
}

// checkSize reports a file that is shorter than its content. When bbolt opens a file to change it, it reads the list
// of free pages; a memory fault there would leave the file mapped, and locked, until the process ends. When it opens a
// file to read it, it reads no list.
func checkSize(path string, opts bolt.Options) error {
	opts.ReadOnly = true
	db, err := bolt.Open(path, 0o600, &opts)
	if err != nil {
		return err
	}
	return errors.Join(db.View(func(tx *bolt.Tx) error { return whole(path, tx) }), db.Close())
}

// whole reports a file that is shorter than its content.
func whole(path string, tx *bolt.Tx) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() < tx.Size() {
		err = fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
	}
	return err
}

// read loads the file, then checks its structure. The order matters: bbolt checks on another goroutine, on which a
// memory fault would end the process, so this goroutine reads every page before.
func (s *store) read(b *Book) error {
	return s.db.View(func(tx *bolt.Tx) error {
		if err := tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			return b.load(string(name), bucket)
		}); err != nil {
			return err
		}
		var first error
		for err := range tx.Check() { // drained: bbolt blocks until each error is received
			first = cmp.Or(first, err)
		}
		return first
	})
}

// dropPages takes the pages of the file out of the resident memory of the process. The operating system keeps them in
// its cache, and maps them again when they are read: each read maps 64 KiB, so a transaction that changes a few random
// peers maps nearly the whole file, which is up to twice as long as its content.
func (s *store) dropPages() {
	_ = s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error { // meanwhile bbolt does not move its memory map
			unmapPages(s.db.Info().Data, tx.Size())
			return nil
		})
	})
}

// write writes a batch in one transaction.
func (s *store) write(w batch) error {
	defer s.dropPages()
	err := s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error { return w.apply(tx) })
	})
	if err == nil {
		s.noteLength()
		return nil
	}
	return writeFault(s.path, err)
}

// writeFault names why the book at path could not be written: an ErrWrite.
func writeFault(path string, err error) error {
	if remedy, known := datadir.Remedy(err); known {
		return fmt.Errorf("%w: %s: %w: %s", ErrWrite, path, err, remedy)
	}
	return fmt.Errorf("%w: %s: %w", ErrWrite, path, err)
}

// wasRunning reports whether the last transport on this book did not end gracefully.
func (s *store) wasRunning() (running bool, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			if b := tx.Bucket(bucketState); b != nil {
				running = b.Get(keyRunning) != nil
			}
			return nil
		})
	})
	return running, err
}
