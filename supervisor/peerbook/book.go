// Package peerbook keeps the peers that a node knows, its allowlist and the revoked keys, in memory and on disk. It
// knows no connections: a transport tells it which peers are connected (Serve).
//
// One bbolt file holds everything. Two tiers hold the peers:
//
//	recent   in memory, and in the bucket "peers"           up to 10,000, and all that are protected from eviction
//	archive  on disk only, with indexes (archive.go)        the others, up to the limit of the book (KnownPeers)
//
// With the default limit the archive stays empty: the recent peers are all. With a higher one, recent peers that make
// room for new ones move to the archive instead of being evicted, and return when they are seen again. A lookup asks
// the recent peers first. The archive has an index by name, by address and by the order of eviction; the key of its
// entries serves a search by prefix and a listing in pages. A move is one transaction with everything else of that
// second, so a peer is in one of the two tiers whenever the process dies.
//
// This is simpler than one indexed store for all peers, and costs nothing without the setting: the paths of a handshake
// read memory, an earlier release finds the recent peers in the bucket that it knows, and skips the archive.
package peerbook

import (
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Book is the peer book: the peers that have proven their key, the allowlist, and the revoked keys. It is kept in
// memory, and on disk if it was opened with Open.
//
// Allow, Revoke and SetAuthMode are on disk when they return. Changes of entries, which traffic causes (last seen,
// addresses), are written within a second, in one transaction, so that a stranger cannot multiply disk writes. Sync
// writes them at once. Safe for concurrent use.
type Book struct {
	writing sync.Mutex // held during a write to disk; taken before mu
	disk    *store     // nil: memory only

	mu      sync.RWMutex
	entries entries // peers
	allowed map[crypto.PublicKey]struct{}
	revoked map[crypto.PublicKey]struct{}
	barred  map[string]int  // node IDs of the revoked keys: how many keys have this ID
	pinned  map[string]bool // node IDs, from the configuration of the running transport

	aliases   map[string]string    // by node ID
	owners    map[string]string    // node IDs by alias
	suspended map[string]time.Time // end of the suspension, by node ID; may have passed

	records   records
	restamped []Record // waiting for their write

	mode   AuthMode
	stored *AuthMode // set by SetAuthMode, in this run or before; nil: never

	inUse  func(id string) bool // reports whether the running transport is connected to this peer; nil: no transport
	failed func(error)          // reports a failed background write; nil: no transport

	reshaped   []string // IDs of entries beyond the limits, while the book is loaded
	overLimits int      // entries of the file that were cut or left out

	changed map[string]struct{} // IDs of entries to be written
	pending *time.Timer         // of the next background write; nil: none
	retries int                 // background writes that have failed in a row
}

// DefaultKnownPeers is the number of entries of a book without the option KnownPeers.
const DefaultKnownPeers = 10_000

// Option is an option of New and Open.
type Option func(*Book)

// KnownPeers sets the number of entries of the book, at least 1. Of a book with more, the oldest are removed.
func KnownPeers(n int) Option { return func(b *Book) { b.entries.limit = max(n, 1) } }

// New returns an empty book that lives in memory only.
func New(options ...Option) *Book {
	b := &Book{
		entries: newEntries(DefaultKnownPeers),
		allowed: make(map[crypto.PublicKey]struct{}),
		revoked: make(map[crypto.PublicKey]struct{}),
		barred:  make(map[string]int),

		aliases:   make(map[string]string),
		owners:    make(map[string]string),
		suspended: make(map[string]time.Time),

		changed: make(map[string]struct{}),
	}
	for _, option := range options {
		option(b)
	}
	b.entries.archive.fault = func(err error) {
		if b.failed != nil { // the caller holds b.mu
			b.failed(err)
		}
	}
	return b
}

// Add enters a peer or replaces its entry; a replaced entry keeps its AddedAt. Fields beyond the limits of an entry
// are cut or left out. If the book is full, Add evicts other entries; if all of them are protected, p is not added.
// Nor is a peer without an ID of 1 to 64 bytes.
func (b *Book) Add(p Peer) {
	if p.ID == "" || len(p.ID) > maxPeerID {
		return
	}
	p.cut()
	b.mu.Lock()
	defer b.mu.Unlock()
	old, known := b.entries.get(p.ID)
	if known {
		p.AddedAt = old.AddedAt
	} else if !b.evictFor(p.bytes()) {
		return
	}
	b.put(p)
}

// put stores an entry and schedules its write. b.mu is held.
func (b *Book) put(p Peer) {
	b.entries.put(p)
	b.touch(p.ID)
	b.moveOld()
}

// drop removes an entry and schedules its removal from disk. It reports whether there was one. b.mu is held.
func (b *Book) drop(id string) bool {
	known := b.entries.drop(id)
	if known {
		b.touch(id)
	}
	return known
}

// Update changes the entry of a known peer and reports whether the peer is known. change must not use the book.
func (b *Book) Update(id string, change func(*Peer)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.entries.get(id)
	if known {
		change(&p)
		p.ID = id
		p.cut()
		b.put(p)
	}
	return known
}

// Remove deletes the entry of a peer and reports whether it was known. Allowlist, revocations and alias stay.
func (b *Book) Remove(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drop(id)
}

// Get returns a known peer.
func (b *Book) Get(id string) (Peer, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.get(id)
}

// Preload returns a function that reads the pages of a peer's entry into the memory of the system, or nil if Get reads
// no disk for this peer. The function may wait for the disk, and does not hold the book's lock meanwhile.
func (b *Book) Preload(id string) (load func()) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	archive := b.entries.archive // a copy, for another goroutine: load uses only its file
	archive.fault = func(error) {}
	_, recent := b.entries.recent[id]
	_, waits := archive.waiting(id)
	if recent || waits || archive.count == 0 {
		return nil
	}
	return func() {
		archive.read(func(s *shelves) error {
			_, _, err := s.get(id)
			return err
		})
	}
}

// List returns all known peers, by ID. Page, Persistent and Find return the few that most callers need.
func (b *Book) List() []Peer { return b.where(func(*Peer) bool { return true }) }

// Page returns the first n known peers after an ID, by ID; fewer than n at the end. After "" it begins with the first.
func (b *Book) Page(after string, n int) []Peer {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.page(after, n)
}

// Persistent returns the peers that are kept connected, by ID.
func (b *Book) Persistent() []Peer {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.recentWhere(func(p *Peer) bool { return p.Persistent })
}

// Find returns the peers, by ID, whose name is text, or whose ID begins with text if text has at least minPrefix bytes.
// Of more than 10,000 known peers, it may leave out peers that took a name after 100 others, or share a prefix with
// 1,000.
func (b *Book) Find(text string, minPrefix int) []Peer {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := b.entries.recentWhere(func(p *Peer) bool { return p.answersTo(text, minPrefix) })
	found = append(found, b.entries.archive.find(text, minPrefix)...)
	sortByID(found)
	return found
}

// At returns the ID of a peer other than id whose Address is address, or "".
func (b *Book) At(address, id string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := b.entries.recentWhere(func(p *Peer) bool { return p.Address == address && p.ID != id })
	for _, p := range b.entries.archive.at(address) {
		if p.ID != id {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return ""
	}
	sortByID(found)
	return found[0].ID
}

func (b *Book) where(ok func(*Peer) bool) []Peer {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.where(ok)
}

// Len returns how many peers the book holds.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.len()
}

// Serve connects the book to the transport that starts on it. inUse reports whether a peer is connected: its entry is
// not evicted. failed is told of each background write that fails, and of each ErrRead. The book calls both with its
// lock held: they must not use the book.
func (b *Book) Serve(inUse func(id string) bool, failed func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse, b.failed = inUse, failed
}
