package peerbook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/Snider/go-p2p/crypto"
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

	keyAuthMode = []byte("auth")
	keyRunning  = []byte("running") // present while a transport runs; absent after a graceful end
)

// store is the book's file, a bbolt database: a commit is atomic whenever the process dies, and writes only the pages
// that it changes. The lock on the file keeps a second node off the directory.
type store struct {
	db   *bolt.DB
	path string
}

// batch is the content of one transaction.
type batch struct {
	peers         map[string]*Peer     // by ID; nil: removed
	alias         map[string]string    // by node ID; empty: removed
	suspend       map[string]time.Time // by node ID; zero: removed
	allow, revoke []crypto.PublicKey
	mode          *AuthMode // nil: unchanged
	running       *bool     // nil: unchanged
}

// Open opens the book at path, or creates an empty one, and sets its mode to 0600. Its errors name the file and the
// cause, and leave the file unchanged: ErrInUse if another process has it open, an error of the file system, or
// damage.
func Open(path string) (*Book, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, openFault(path, err)
	}
	b := New()
	s := &store{path: path}
	var file *os.File
	open := func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		if file, err = datadir.Open(name, flag, mode); err == nil {
			err = makePrivate(file)
		}
		return file, err
	}
	err := guardFaults(func() (err error) {
		if err := makeBook(path); err != nil {
			return err
		}
		s.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: 100 * time.Millisecond, OpenFile: open})
		if err != nil {
			return err
		}
		return s.read(b)
	})
	if err != nil {
		if s.db != nil {
			_ = guardFaults(s.db.Close)
		}
		if file != nil {
			_ = file.Close() // a fault in Open or Close leaves it open, and locked
		}
		return nil, openFault(path, err)
	}
	b.disk = s
	b.loaded()
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

// read loads the file, then checks its structure. The order matters: bbolt checks on another goroutine, on which a
// memory fault would end the process, so this goroutine reads every page before.
func (s *store) read(b *Book) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	return s.db.View(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
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

// write writes a batch in one transaction.
func (s *store) write(w batch) error {
	err := guardFaults(func() error {
		return s.db.Update(func(tx *bolt.Tx) error { return w.apply(tx) })
	})
	if err == nil {
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

func (w *batch) apply(tx *bolt.Tx) error {
	buckets := make(map[string]*bolt.Bucket)
	for _, name := range [][]byte{bucketPeers, bucketAllowed, bucketRevoked, bucketState, bucketAliases, bucketSuspended} {
		b, err := tx.CreateBucketIfNotExists(name)
		if err != nil {
			return err
		}
		buckets[string(name)] = b
	}
	peers, state := buckets[string(bucketPeers)], buckets[string(bucketState)]
	errs := make([]error, 0, 4)
	for id, p := range w.peers {
		if p == nil {
			errs = append(errs, peers.Delete([]byte(id)))
			continue
		}
		data, err := json.Marshal(p)
		errs = append(errs, err, peers.Put([]byte(id), data))
	}
	allowed, revoked := buckets[string(bucketAllowed)], buckets[string(bucketRevoked)]
	for _, key := range w.allow {
		errs = append(errs, allowed.Put(key[:], nil), revoked.Delete(key[:]))
	}
	for _, key := range w.revoke {
		errs = append(errs, revoked.Put(key[:], nil), allowed.Delete(key[:]))
	}
	errs = append(errs, w.applyNames(buckets[string(bucketAliases)], buckets[string(bucketSuspended)]))
	if w.mode != nil {
		errs = append(errs, state.Put(keyAuthMode, []byte(w.mode.String())))
	}
	if w.running != nil && *w.running {
		errs = append(errs, state.Put(keyRunning, []byte{1}))
	} else if w.running != nil {
		errs = append(errs, state.Delete(keyRunning))
	}
	return errors.Join(errs...)
}

// applyNames writes aliases and suspensions.
func (w *batch) applyNames(aliases, suspended *bolt.Bucket) error {
	var errs []error
	for id, name := range w.alias {
		if name == "" {
			errs = append(errs, aliases.Delete([]byte(id)))
			continue
		}
		errs = append(errs, aliases.Put([]byte(id), []byte(name)))
	}
	for id, until := range w.suspend {
		if until.IsZero() {
			errs = append(errs, suspended.Delete([]byte(id)))
			continue
		}
		errs = append(errs, suspended.Put([]byte(id), []byte(until.UTC().Format(time.RFC3339Nano))))
	}
	return errors.Join(errs...)
}

// wasRunning reports whether the last transport on this book did not end gracefully.
func (s *store) wasRunning() (running bool, err error) {
	err = guardFaults(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			if b := tx.Bucket(bucketState); b != nil {
				running = b.Get(keyRunning) != nil
			}
			return nil
		})
	})
	return running, err
}
