// Package peerbook keeps the peers that a node knows, its allowlist and the revoked keys, in memory and on disk. It knows
// no connections: a transport tells it which peers are connected (Serve), and the book asks nothing else of it.
package peerbook

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Book is the peer book: the peers that have proven their key, the allowlist, and the revoked keys. It is kept in memory,
// and on disk if it was opened with Open.
//
// Changes that people order (allow, revoke, the mode, which peers are kept connected) are on disk when the method
// returns; what traffic causes (last seen, addresses) is written behind, within a second and in one transaction, so
// a stranger cannot multiply disk writes. Safe for concurrent use.
type Book struct {
	writing sync.Mutex // one change goes to disk at a time; taken before mu
	disk    *store     // nil: memory only

	mu      sync.RWMutex
	inUse   func(id string) bool // the running transport is connected to this peer; nil: there is none
	peers   map[string]Peer
	bytes   int // of the entries, as Peer.bytes counts them
	allowed map[crypto.PublicKey]struct{}
	revoked map[crypto.PublicKey]struct{}
	pinned  map[string]bool // node IDs, by the running transport's configuration
	mode    AuthMode
	stored  *AuthMode // what SetAuthMode has set

	reshaped   []string // entries beyond the limits, while the book is loaded
	overLimits int      // how many entries of the file were cut or left out

	changed map[string]struct{}
	pending *time.Timer // of the next write
	retries int         // background writes that have failed in a row
	failed  func(error) // reports a failed background write; nil: there is no transport
}

// New returns an empty book that lives in memory only.
func New() *Book {
	return &Book{
		peers:   make(map[string]Peer),
		allowed: make(map[crypto.PublicKey]struct{}),
		revoked: make(map[crypto.PublicKey]struct{}),
		changed: make(map[string]struct{}),
	}
}

// Add puts a peer into the book, or replaces what the book says of it. Its AddedAt is kept. Fields beyond the limits of an
// entry are cut; an entry without a valid key of the map, an ID of 1 to 64 bytes, is not added. When the book is full,
// other entries are evicted (see evict); if none may be, the peer is not added.
func (r *Book) Add(p Peer) {
	if p.ID == "" || len(p.ID) > maxPeerID {
		return
	}
	p.cut()
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.peers[p.ID]
	if known {
		p.AddedAt = old.AddedAt
	} else if !r.makeRoom(p.bytes()) {
		return
	}
	r.put(p)
}

// put stores an entry and keeps the size of the book. r.mu is held.
func (r *Book) put(p Peer) {
	r.drop(p.ID)
	r.peers[p.ID] = p
	r.bytes += p.bytes()
	r.touch(p.ID)
}

// drop removes an entry, if there is one. r.mu is held.
func (r *Book) drop(id string) {
	if old, known := r.peers[id]; known {
		r.bytes -= old.bytes()
		delete(r.peers, id)
		r.touch(id)
	}
}

// serve tells the book about the transport that starts on it: which peers are connected, and where failures of
// background writes are reported.
func (r *Book) Serve(inUse func(id string) bool, failed func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse, r.failed = inUse, failed
}

// len returns how many peers the book holds.
func (r *Book) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.peers)
}

// Update changes a known peer and reports whether it is known.
func (r *Book) Update(id string, change func(*Peer)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, known := r.peers[id]
	if known {
		change(&p)
		p.ID = id
		p.cut()
		r.put(p)
	}
	return known
}

// Remove forgets a peer and reports whether it was known. Allowlist and revocation stay.
func (r *Book) Remove(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.peers[id]
	r.drop(id)
	return known
}

// Get returns a known peer.
func (r *Book) Get(id string) (Peer, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, known := r.peers[id]
	return p, known
}

// List returns the known peers by ID.
func (r *Book) List() []Peer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Peer, 0, len(r.peers))
	for _, p := range r.peers {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Allow puts keys on the allowlist and lifts their revocation. On an error nothing has changed; it is
// crypto.ErrPublicKey for a key that no peer can have: zero, of low order or not canonical.
func (r *Book) Allow(keys ...crypto.PublicKey) error {
	if err := checkKeys(keys); err != nil {
		return err
	}
	return r.order(func(c *batch) { c.allow = keys }, func() {
		for _, key := range keys {
			r.allowed[key] = struct{}{}
			delete(r.revoked, key)
		}
	})
}

// Revoke takes keys off the allowlist and lets them in no more, in either mode. On an error nothing has changed; it
// is crypto.ErrPublicKey for a key that no peer can have, as Allow says.
func (r *Book) Revoke(keys ...crypto.PublicKey) error {
	if err := checkKeys(keys); err != nil {
		return err
	}
	return r.order(func(c *batch) { c.revoke = keys }, func() {
		for _, key := range keys {
			delete(r.allowed, key)
			r.revoked[key] = struct{}{}
		}
	})
}

// checkKeys returns the error of the first key that no peer can have.
func checkKeys(keys []crypto.PublicKey) error {
	for _, key := range keys {
		if _, err := crypto.ParsePublicKey(key.String()); err != nil {
			return err
		}
	}
	return nil
}

// SetAuthMode sets who may connect, for now and for later runs.
func (r *Book) SetAuthMode(mode AuthMode) error {
	if !mode.valid() {
		return ErrAuthMode
	}
	return r.order(func(c *batch) { c.mode = &mode }, func() { r.mode, r.stored = mode, &mode })
}

// UseAuthMode sets who may connect for this run only: a setting given at the start. On ErrAuthMode nothing has changed.
func (r *Book) UseAuthMode(mode AuthMode) error {
	if !mode.valid() {
		return ErrAuthMode
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
	return nil
}

// order writes a change to disk first and then makes it.
func (r *Book) order(describe func(*batch), apply func()) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.disk != nil {
		r.mu.Lock()
		all := r.collect()
		r.mu.Unlock()
		describe(&all)
		if err := r.disk.write(all); err != nil { // readers go on meanwhile
			r.mu.Lock()
			r.uncollect(all)
			r.mu.Unlock()
			return err
		}
	}
	r.mu.Lock()
	apply()
	r.mu.Unlock()
	return nil
}

// AuthMode returns who may connect.
func (r *Book) AuthMode() AuthMode {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.mode
}

// StoredAuthMode returns the mode that SetAuthMode has set, in this run or before, and whether there is one.
func (r *Book) StoredAuthMode() (AuthMode, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.stored == nil {
		return AuthOpen, false
	}
	return *r.stored, true
}

// Allowed reports whether a key is on the allowlist.
func (r *Book) Allowed(key crypto.PublicKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, listed := r.allowed[key]
	return listed
}

// Authorized reports whether a peer with this key may connect. It compares all 32 bytes.
func (r *Book) Authorized(key crypto.PublicKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, no := r.revoked[key]; no {
		return false
	}
	if r.mode == AuthOpen {
		return true
	}
	_, listed := r.allowed[key]
	return listed || len(r.pinned) > 0 && r.pinned[key.NodeID()]
}

// Revoked reports whether a key is revoked.
func (r *Book) Revoked(key crypto.PublicKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, revoked := r.revoked[key]
	return revoked
}

// RevokedID reports whether the key of a node ID is revoked.
func (r *Book) RevokedID(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for key := range r.revoked {
		if key.NodeID() == id {
			return true
		}
	}
	return false
}

// UsePins sets the node IDs that configured addresses pin: they may connect in allowlist mode, unless revoked. Nothing is
// stored.
func (r *Book) UsePins(ids map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pinned = ids
}
