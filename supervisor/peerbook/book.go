// Package peerbook keeps the peers that a node knows, its allowlist and the revoked keys, in memory and on disk. It
// knows no connections: a transport tells it which peers are connected (Serve).
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
	entries entries
	allowed map[crypto.PublicKey]struct{}
	revoked map[crypto.PublicKey]struct{}
	barred  map[string]int  // node IDs of the revoked keys: how many keys have this ID
	pinned  map[string]bool // node IDs, from the configuration of the running transport

	aliases   map[string]string    // by node ID
	owners    map[string]string    // node IDs by alias
	suspended map[string]time.Time // end of the suspension, by node ID; may have passed

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

// New returns an empty book that lives in memory only.
func New() *Book {
	return &Book{
		entries: entries{peers: make(map[string]Peer)},
		allowed: make(map[crypto.PublicKey]struct{}),
		revoked: make(map[crypto.PublicKey]struct{}),
		barred:  make(map[string]int),

		aliases:   make(map[string]string),
		owners:    make(map[string]string),
		suspended: make(map[string]time.Time),

		changed: make(map[string]struct{}),
	}
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

// List returns all known peers, by ID. Persistent and Find return the few that most callers need.
func (b *Book) List() []Peer { return b.where(func(*Peer) bool { return true }) }

// Persistent returns the peers that are kept connected, by ID.
func (b *Book) Persistent() []Peer { return b.where(func(p *Peer) bool { return p.Persistent }) }

// Find returns the peers, by ID, whose name is text, or whose ID begins with text if text has at least minPrefix bytes.
func (b *Book) Find(text string, minPrefix int) []Peer {
	return b.where(func(p *Peer) bool { return p.answersTo(text, minPrefix) })
}

// At returns the ID of a peer other than id whose Address is address, or "".
func (b *Book) At(address, id string) string {
	for _, p := range b.where(func(p *Peer) bool { return p.Address == address && p.ID != id }) {
		return p.ID
	}
	return ""
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
// not evicted. failed is told of each background write that fails. The book calls inUse with its lock held: inUse must
// not use the book.
func (b *Book) Serve(inUse func(id string) bool, failed func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse, b.failed = inUse, failed
}
