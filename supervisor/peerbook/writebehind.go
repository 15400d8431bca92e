package peerbook

import (
	"errors"
	"time"
)

const (
	writeDelay = time.Second // from a change of an entry to its write
	maxDelay   = time.Minute // between two attempts to write to a disk that fails
)

// touch schedules the write of an entry. b.mu is held.
func (b *Book) touch(id string) {
	if b.disk == nil {
		return
	}
	b.changed[id] = struct{}{}
	b.schedule()
}

// schedule schedules a background write. b.mu is held.
func (b *Book) schedule() {
	if b.disk != nil && b.pending == nil {
		b.pending = time.AfterFunc(min(writeDelay<<min(b.retries, 6), maxDelay), b.writeBehind)
	}
}

// writeBehind is the timer of background writes. After a failure the entries stay scheduled, and the delay doubles up
// to a minute.
func (b *Book) writeBehind() {
	b.mu.Lock()
	b.retries++ // before the attempt, which schedules the next one if it fails
	b.mu.Unlock()
	err := b.Sync()
	b.mu.Lock()
	if err == nil {
		b.retries = 0
	}
	failed := b.failed
	b.mu.Unlock()
	if err != nil && failed != nil {
		failed(err)
	}
}

// commit writes a change to disk, with all scheduled entries, and then applies it in memory. After an error it is not
// applied.
func (b *Book) commit(describe func(*batch), apply func()) error {
	return b.commitIf(func() error { return nil }, describe, apply)
}

// commitIf is commit after a check, with b.mu held for reading, that can refuse the change.
func (b *Book) commitIf(check func() error, describe func(*batch), apply func()) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.RLock()
	err := check()
	b.mu.RUnlock()
	if err != nil {
		return err
	}
	if b.disk != nil {
		w := b.collect()
		describe(&w)
		if err := b.disk.write(w); err != nil { // readers continue meanwhile
			b.reschedule(w)
			return err
		}
	}
	b.mu.Lock()
	b.entries.archive.written()
	apply()
	b.mu.Unlock()
	return nil
}

// collect takes all scheduled entries.
func (b *Book) collect() batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending != nil {
		b.pending.Stop()
		b.pending = nil
	}
	w := batch{peers: make(map[string]*Peer, len(b.changed))}
	for id := range b.changed {
		w.peers[id] = nil
		if p, known := b.entries.recent[id]; known {
			w.peers[id] = &p
		}
	}
	clear(b.changed)
	w.archive, w.discard = b.entries.archive.collect()
	w.records, b.restamped = b.restamped, nil
	w.restamped = len(w.records)
	return w
}

// reschedule schedules the entries of a batch that could not be written.
func (b *Book) reschedule(w batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries.archive.unwritten()
	b.restamped = append(w.records[:w.restamped:w.restamped], b.restamped...)
	for id := range w.peers {
		b.touch(id)
	}
	if len(w.archive) > 0 || w.discard || w.restamped > 0 {
		b.schedule()
	}
}

// Sync writes all scheduled entries. After an error, an ErrWrite, they stay scheduled.
func (b *Book) Sync() error {
	return b.commit(func(*batch) {}, func() {})
}

// Close writes all scheduled entries and closes the file. The recent entries can still be read afterwards; changes stay
// in memory. Only the first call does anything.
func (b *Book) Close() error {
	if b.Path() == "" {
		return nil
	}
	err := b.Sync()
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending != nil {
		b.pending.Stop()
	}
	disk := b.disk
	if disk == nil {
		return err // another call has closed it meanwhile
	}
	b.disk = nil
	b.entries.archive = newArchive()
	return errors.Join(err, guardFaults(disk.db.Close))
}

// Path returns the path of the book's file, or "" for a book in memory.
func (b *Book) Path() string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.disk == nil {
		return ""
	}
	return b.disk.path
}

// Begin records on disk that a transport runs on the book, and brings the book within its limits. It reports whether
// the transport before it has not called End. The book must have a file.
func (b *Book) Begin() (crashed bool, err error) {
	if crashed, err = b.disk.wasRunning(); err != nil {
		return false, err
	}
	b.trim()
	running := true
	return crashed, b.commit(func(w *batch) { w.running = &running }, func() {})
}

// End records on disk that the transport has ended gracefully.
func (b *Book) End() error {
	running := false
	return b.commit(func(w *batch) { w.running = &running }, func() {})
}
