package peerbook

import (
	"errors"
	"time"
)

// maxWriteBehind is the longest pause between two attempts to write to a disk that fails.
const maxWriteBehind = time.Minute

// touch notes that a peer has changed and sees to it that it reaches the disk. r.mu is held.
func (r *Book) touch(id string) {
	if r.disk == nil {
		return
	}
	r.changed[id] = struct{}{}
	if r.pending == nil {
		pause := min(writeBehind<<min(r.retries, 6), maxWriteBehind)
		r.pending = time.AfterFunc(pause, r.writeBehind)
	}
}

// writeBehind is the timer of background writes. After a failure the changes stay noted for the next attempt, whose pause
// doubles up to a minute.
func (r *Book) writeBehind() {
	r.mu.Lock()
	r.retries++ // before the attempt, which notes the changes again if it fails
	r.mu.Unlock()
	err := r.Sync()
	r.mu.Lock()
	if err == nil {
		r.retries = 0
	}
	failed := r.failed
	r.mu.Unlock()
	if err != nil && failed != nil {
		failed(err)
	}
}

// collect takes what waits for the disk. r.mu is held.
func (r *Book) collect() batch {
	if r.pending != nil {
		r.pending.Stop()
		r.pending = nil
	}
	all := batch{peers: make(map[string]*Peer, len(r.changed))}
	for id := range r.changed {
		all.peers[id] = nil
		if p, known := r.peers[id]; known {
			all.peers[id] = &p
		}
	}
	clear(r.changed)
	return all
}

// uncollect notes again what could not be written. r.mu is held.
func (r *Book) uncollect(c batch) {
	for id := range c.peers {
		r.touch(id)
	}
}

// path is the book's file, empty when it lives in memory.
func (r *Book) Path() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.disk == nil {
		return ""
	}
	return r.disk.path
}

// Sync writes what waits for the disk. Nothing is lost when it fails: the next write takes it along.
func (r *Book) Sync() error {
	return r.order(func(*batch) {}, func() {})
}

// Close writes what waits and closes the file. The book may still be read afterwards.
func (r *Book) Close() error {
	if r.Path() == "" {
		return nil
	}
	err := r.Sync()
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending != nil {
		r.pending.Stop()
	}
	disk := r.disk
	r.disk = nil
	return errors.Join(err, guardFaults(disk.db.Close))
}

// begin notes that a transport runs on the book, and reports whether the one before it did not end gracefully.
func (r *Book) Begin() (crashed bool, err error) {
	if crashed, err = r.disk.wasRunning(); err != nil {
		return false, err
	}
	running := true
	return crashed, r.order(func(c *batch) { c.running = &running }, func() {})
}

// end notes that it ended gracefully.
func (r *Book) End() error {
	running := false
	return r.order(func(c *batch) { c.running = &running }, func() {})
}
