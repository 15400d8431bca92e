package systems

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The parts of a node of the reference path, each with the lock that it has in deployed nodes.

// MutexDedup is a set of IDs behind a lock, with one lookup and one insertion per new ID. Safe for concurrent use.
type MutexDedup struct {
	mu   sync.RWMutex
	seen map[string]time.Time
}

// NewMutexDedup returns an empty set.
func NewMutexDedup() *MutexDedup { return &MutexDedup{seen: make(map[string]time.Time)} }

// Seen reports whether the set contains an ID, and adds it.
func (d *MutexDedup) Seen(id string) bool {
	d.mu.RLock()
	_, seen := d.seen[id]
	d.mu.RUnlock()
	if seen {
		return true
	}
	d.mu.Lock()
	d.seen[id] = time.Now()
	d.mu.Unlock()
	return false
}

// refLimiter is a token bucket behind a lock.
type refLimiter struct {
	mu             sync.Mutex
	tokens, burst  int
	refill         int // tokens per second
	lastRefilledAt time.Time
}

func newRefLimiter(burst, refill int) *refLimiter {
	return &refLimiter{tokens: burst, burst: burst, refill: refill, lastRefilledAt: time.Now()}
}

func (l *refLimiter) allow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if fresh := int(now.Sub(l.lastRefilledAt).Seconds()) * l.refill; fresh > 0 {
		l.tokens, l.lastRefilledAt = min(l.tokens+fresh, l.burst), now
	}
	if l.tokens == 0 {
		return false
	}
	l.tokens--
	return true
}

// refPeer is a known peer with the four metrics by which deployed nodes select a peer.
type refPeer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	PublicKey string    `json:"publicKey"`
	AddedAt   time.Time `json:"addedAt"`
	LastSeen  time.Time `json:"lastSeen"`
	PingMS    float64   `json:"pingMs"`
	Hops      int       `json:"hops"`
	GeoKM     float64   `json:"geoKm"`
	Score     float64   `json:"score"`
}

// refPoint is a peer in the index for the selection.
type refPoint struct {
	id     string
	coords []float64
}

// refBook is the peer book: a map, an index of all peers that is rebuilt for each new peer, and a JSON file that is
// written completely 5 s after a change. The index of deployed nodes is a k-d tree; here it is only the list of the
// tree's points, checked for duplicates, which is the cheapest part of building the tree.
type refBook struct {
	path string

	mu      sync.RWMutex
	peers   map[string]*refPeer
	index   []refPoint
	pending *time.Timer
}

const refSaveAfter = 5 * time.Second

func newRefBook(dir string, known int) *refBook {
	b := &refBook{peers: make(map[string]*refPeer)}
	if dir != "" {
		b.path = filepath.Join(dir, "peers.json")
	}
	for i := range known {
		id, key := inventedPeer(i)
		b.peers[id] = &refPeer{ID: id, Name: "known", PublicKey: key, AddedAt: time.Now(), Score: 50}
	}
	b.rebuild()
	return b
}

// meet adds an unknown peer, or updates LastSeen of a known one.
func (b *refBook) meet(p *refPeer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.peers[p.ID]; known != nil {
		known.LastSeen = time.Now()
		return
	}
	b.peers[p.ID] = p
	b.rebuild()
	if b.path != "" && b.pending == nil {
		b.pending = time.AfterFunc(refSaveAfter, b.save)
	}
}

func (b *refBook) rebuild() {
	points := make([]refPoint, 0, len(b.peers))
	for _, p := range b.peers {
		coords := []float64{p.PingMS, 0.7 * float64(p.Hops), 0.2 * p.GeoKM, 1.2 * (100 - p.Score)}
		points = append(points, refPoint{id: p.ID, coords: coords})
	}
	known := make(map[string]struct{}, len(points))
	for _, p := range points {
		known[p.id] = struct{}{}
	}
	b.index = points[:len(known)]
}

func (b *refBook) len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.peers)
}

// save writes the whole book. A failed write is repeated at the next change only, as in deployed nodes.
func (b *refBook) save() {
	b.mu.Lock()
	b.pending = nil
	b.mu.Unlock()
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]*refPeer, 0, len(b.peers))
	for _, p := range b.peers {
		all = append(all, p)
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err == nil && os.WriteFile(b.path+".new", data, 0o600) == nil {
		_ = os.Rename(b.path+".new", b.path)
	}
}
