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

// writeBehind is how long what traffic changes in the book may wait for the disk.
const writeBehind = time.Second

// Errors of a book.
var (
	ErrInUse    = errors.New("another process is using it") // the file is locked
	ErrWrite    = errors.New("the peer book cannot be written")
	ErrAuthMode = errors.New("the auth mode is neither open nor allowlist")
)

// Buckets of the book's file, and keys of the bucket for single values.
var (
	bucketPeers   = []byte("peers")   // node ID → Peer as JSON
	bucketAllowed = []byte("allowed") // public key → nothing
	bucketRevoked = []byte("revoked") // public key → nothing
	bucketState   = []byte("state")
	keyAuthMode   = []byte("auth")
	keyRunning    = []byte("running") // there while a transport runs, so that its absence proves a graceful end
)

// store is the book's file: bbolt, because each of its commits is whole or not there, whenever the process dies,
// and a change costs the pages it touches rather than the whole book. It also locks the file, which is how a second
// node on the same directory is noticed.
type store struct {
	db   *bolt.DB
	path string
}

// batch is what one transaction writes.
type batch struct {
	peers         map[string]*Peer // nil: removed
	allow, revoke []crypto.PublicKey
	mode          *AuthMode
	running       *bool
}

// Open opens the book at path, or makes an empty one; either has mode 0600 then. A damaged file is an error
// that names it and is left as it is, and so is one that the file system does not give: each with its own words. ErrInUse means that another node runs on it.
func Open(path string) (*Book, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, openFault(path, err)
	}
	r := New()
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
		return s.read(r)
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
	r.disk = s
	r.loaded()
	return r, nil
}

// openFault names why the book at path does not open. Only content that cannot be read is damage.
func openFault(path string, err error) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("peer book %s: %w: stop the node that runs there, or give another data directory", path, ErrInUse)
	}
	if remedy, known := datadir.Remedy(err); known {
		return fmt.Errorf("peer book %s cannot be opened: %w: %s", path, err, remedy)
	}
	return fmt.Errorf("peer book %s is damaged (%w): restore it from a copy, or move it away to start with an empty one", path, err)
}

// makePrivate takes from others what they may do with a file: who writes the book decides who may connect.
func makePrivate(file *os.File) error {
	info, err := file.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = file.Chmod(0o600)
	}
	return err
}

// guardFaults turns the memory fault that a truncated file causes under bbolt's map into an error.
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

// read loads the file and checks it as a whole. The order matters: bbolt checks on a goroutine of its own, where a fault
// would end the process, so every page has been touched here before.
func (s *store) read(r *Book) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	return s.db.View(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
		if err := tx.ForEach(func(name []byte, b *bolt.Bucket) error { return r.load(string(name), b) }); err != nil {
			return err
		}
		var first error
		for err := range tx.Check() { // to its end: it waits for each error to be taken
			first = cmp.Or(first, err)
		}
		return first
	})
}

// load takes over one bucket.
func (r *Book) load(name string, b *bolt.Bucket) error {
	each := func(_, _ []byte) error { return nil }
	switch name {
	case string(bucketPeers):
		each = r.loadPeer
	case string(bucketAllowed):
		each = keysInto(r.allowed)
	case string(bucketRevoked):
		each = keysInto(r.revoked)
	case string(bucketState):
		each = func(k, v []byte) error {
			if string(k) != string(keyAuthMode) {
				return nil
			}
			mode, err := ParseAuthMode(string(v))
			r.mode, r.stored = mode, &mode
			return err
		}
	}
	return b.ForEach(each)
}

func keysInto(set map[crypto.PublicKey]struct{}) func(k, v []byte) error {
	return func(k, _ []byte) error {
		if len(k) != crypto.KeySize {
			return fmt.Errorf("a key of %d bytes on the allowlist", len(k))
		}
		set[crypto.PublicKey(k)] = struct{}{}
		return nil
	}
}

// write puts a change on disk, whole or not at all.
func (s *store) write(c batch) error {
	err := guardFaults(func() error {
		return s.db.Update(func(tx *bolt.Tx) error { return c.apply(tx) })
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

func (c *batch) apply(tx *bolt.Tx) error {
	buckets := make(map[string]*bolt.Bucket)
	for _, name := range [][]byte{bucketPeers, bucketAllowed, bucketRevoked, bucketState} {
		b, err := tx.CreateBucketIfNotExists(name)
		if err != nil {
			return err
		}
		buckets[string(name)] = b
	}
	peers, state := buckets[string(bucketPeers)], buckets[string(bucketState)]
	errs := make([]error, 0, 4)
	for id, p := range c.peers {
		if p == nil {
			errs = append(errs, peers.Delete([]byte(id)))
			continue
		}
		data, err := json.Marshal(p)
		errs = append(errs, err, peers.Put([]byte(id), data))
	}
	allowed, revoked := buckets[string(bucketAllowed)], buckets[string(bucketRevoked)]
	for _, key := range c.allow {
		errs = append(errs, allowed.Put(key[:], nil), revoked.Delete(key[:]))
	}
	for _, key := range c.revoke {
		errs = append(errs, revoked.Put(key[:], nil), allowed.Delete(key[:]))
	}
	if c.mode != nil {
		errs = append(errs, state.Put(keyAuthMode, []byte(c.mode.String())))
	}
	if c.running != nil && *c.running {
		errs = append(errs, state.Put(keyRunning, []byte{1}))
	} else if c.running != nil {
		errs = append(errs, state.Delete(keyRunning))
	}
	return errors.Join(errs...)
}

// wasRunning reports whether the last run of a transport on this book did not end gracefully.
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
