package supervisor

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// maxKnownPeers bounds the peer book: thousands of identities cost an attacker nothing.
const maxKnownPeers = 10_000

// PeerRegistry is the peer book: the peers that have proven their key, the allowlist, and who is revoked. It is kept
// in memory, and on disk when it was opened with OpenPeerRegistry.
//
// Changes that people order (allow, revoke, the mode, which peers are kept connected) are on disk when the method
// returns; what traffic causes (last seen, addresses) is written behind, within a second and in one transaction, so
// a stranger cannot multiply disk writes. Safe for concurrent use.
type PeerRegistry struct {
	writing sync.Mutex // one change goes to disk at a time; taken before mu
	disk    *bookStore // nil: memory only

	mu      sync.RWMutex
	inUse   func(id string) bool // the running transport is connected to this peer; nil: there is none
	peers   map[string]Peer
	allowed map[crypto.PublicKey]struct{}
	revoked map[crypto.PublicKey]struct{}
	mode    AuthMode
	stored  *AuthMode // what SetAuthMode has set
	changed map[string]struct{}
	pending *time.Timer // of the next write
}

// NewPeerRegistry returns an empty book that lives in memory only.
func NewPeerRegistry() *PeerRegistry {
	return &PeerRegistry{
		peers:   make(map[string]Peer),
		allowed: make(map[crypto.PublicKey]struct{}),
		revoked: make(map[crypto.PublicKey]struct{}),
		changed: make(map[string]struct{}),
	}
}

// Add puts a peer into the book, or replaces what the book says of it. Its AddedAt is kept. When the book is full, the
// least recently seen peer that is neither connected, nor kept connected, nor on the allowlist makes room; when there is
// none, the peer is not added.
func (r *PeerRegistry) Add(p Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, known := r.peers[p.ID]; known {
		p.AddedAt = old.AddedAt
	} else if len(r.peers) >= maxKnownPeers && !r.evict() {
		return
	}
	r.peers[p.ID] = p
	r.touch(p.ID)
}

// evict forgets a tenth of the peers at once, so that a full book is not searched for each newcomer.
func (r *PeerRegistry) evict() bool {
	var candidates []Peer
	for _, p := range r.peers {
		key, err := crypto.ParsePublicKey(p.PublicKey)
		_, listed := r.allowed[key]
		// Of who is connected the book knows only when that began, which may be long ago.
		connected := r.inUse != nil && r.inUse(p.ID)
		if !p.Persistent && !connected && (err != nil || !listed) {
			candidates = append(candidates, p)
		}
	}
	slices.SortFunc(candidates, func(a, b Peer) int { return a.LastSeen.Compare(b.LastSeen) })
	for _, p := range candidates[:min(len(candidates), maxKnownPeers/10)] {
		delete(r.peers, p.ID)
		r.touch(p.ID)
	}
	return len(candidates) > 0
}

// serve says whose entries a transport that starts on the book is using.
func (r *PeerRegistry) serve(inUse func(id string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inUse = inUse
}

// len returns how many peers the book holds.
func (r *PeerRegistry) len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.peers)
}

// Update changes a known peer and reports whether it is known.
func (r *PeerRegistry) Update(id string, change func(*Peer)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, known := r.peers[id]
	if known {
		change(&p)
		p.ID = id
		r.peers[id] = p
		r.touch(id)
	}
	return known
}

// Remove forgets a peer and reports whether it was known. Allowlist and revocation stay.
func (r *PeerRegistry) Remove(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.peers[id]
	delete(r.peers, id)
	r.touch(id)
	return known
}

// Get returns a known peer.
func (r *PeerRegistry) Get(id string) (Peer, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, known := r.peers[id]
	return p, known
}

// List returns the known peers by ID.
func (r *PeerRegistry) List() []Peer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Peer, 0, len(r.peers))
	for _, p := range r.peers {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Allow puts keys on the allowlist and lifts their revocation. On an error nothing has changed.
func (r *PeerRegistry) Allow(keys ...crypto.PublicKey) error {
	return r.order(func(c *bookChange) { c.allow = keys }, func() {
		for _, key := range keys {
			r.allowed[key] = struct{}{}
			delete(r.revoked, key)
		}
	})
}

// Revoke takes keys off the allowlist and lets them in no more, in either mode. On an error nothing has changed.
func (r *PeerRegistry) Revoke(keys ...crypto.PublicKey) error {
	return r.order(func(c *bookChange) { c.revoke = keys }, func() {
		for _, key := range keys {
			delete(r.allowed, key)
			r.revoked[key] = struct{}{}
		}
	})
}

// SetAuthMode sets who may connect, for now and for later runs.
func (r *PeerRegistry) SetAuthMode(mode AuthMode) error {
	return r.order(func(c *bookChange) { c.mode = &mode }, func() { r.mode, r.stored = mode, &mode })
}

// UseAuthMode sets who may connect for this run only: a setting given at the start.
func (r *PeerRegistry) UseAuthMode(mode AuthMode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
}

// order writes a change to disk first and then makes it.
func (r *PeerRegistry) order(describe func(*bookChange), apply func()) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.disk != nil {
		r.mu.Lock()
		change := r.collect()
		r.mu.Unlock()
		describe(&change)
		if err := r.disk.write(change); err != nil { // readers go on meanwhile
			r.mu.Lock()
			r.uncollect(change)
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
func (r *PeerRegistry) AuthMode() AuthMode {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.mode
}

// StoredAuthMode returns the mode that SetAuthMode has set, in this run or before, and whether there is one.
func (r *PeerRegistry) StoredAuthMode() (AuthMode, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.stored == nil {
		return PeerAuthOpen, false
	}
	return *r.stored, true
}

// Allowed reports whether a key is on the allowlist.
func (r *PeerRegistry) Allowed(key crypto.PublicKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, listed := r.allowed[key]
	return listed
}

// Authorized reports whether a peer with this key may connect. It compares all 32 bytes.
func (r *PeerRegistry) Authorized(key crypto.PublicKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, no := r.revoked[key]; no {
		return false
	}
	_, listed := r.allowed[key]
	return r.mode == PeerAuthOpen || listed
}
