package peerbook

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// entries holds the peers of a book: recent ones in memory, the others in the archive on disk. Every access to a peer
// passes through its methods. A peer is in one of the two. Safe for concurrent reads.
type entries struct {
	limit   int // number of entries, at least 1
	room    int // number of entries in memory that are not protected from eviction
	recent  map[string]Peer
	bytes   int // sum of Peer.bytes of recent
	archive archive
	moveAt  int // number of recent entries at which the next ones are moved to the archive, if above room
}

func newEntries(limit int) entries {
	return entries{limit: limit, room: maxRecent, recent: make(map[string]Peer), archive: newArchive()}
}

func (e *entries) len() int { return len(e.recent) + e.archive.count }

func (e *entries) get(id string) (Peer, bool) {
	if p, known := e.recent[id]; known {
		return p, true
	}
	return e.archive.get(id)
}

// put stores an entry in memory in place of the one with the same ID, in either tier.
func (e *entries) put(p Peer) {
	e.dropRecent(p.ID)
	e.archive.drop(p.ID)
	e.recent[p.ID] = p
	e.bytes += p.bytes()
}

// drop removes an entry and reports whether there was one.
func (e *entries) drop(id string) bool { return e.dropRecent(id) || e.archive.drop(id) }

func (e *entries) dropRecent(id string) bool {
	old, known := e.recent[id]
	if known {
		e.bytes -= old.bytes()
		delete(e.recent, id)
	}
	return known
}

// where returns the peers that satisfy ok, by ID. It reads the whole archive.
func (e *entries) where(ok func(*Peer) bool) []Peer {
	found := e.recentWhere(ok)
	if e.archive.count > 0 {
		e.archive.each(func(p *Peer) {
			if ok(p) {
				found = append(found, *p)
			}
		})
		sortByID(found)
	}
	return found
}

// recentWhere returns the peers in memory that satisfy ok, by ID.
func (e *entries) recentWhere(ok func(*Peer) bool) []Peer {
	found := []Peer{}
	var p Peer // one for all calls of ok: it escapes
	for _, p = range e.recent {
		if ok(&p) {
			found = append(found, p)
		}
	}
	sortByID(found)
	return found
}

func sortByID(peers []Peer) {
	slices.SortFunc(peers, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
}

// page returns the first n entries after an ID, by ID.
func (e *entries) page(after string, n int) []Peer {
	found, last := e.archive.page(after, n)
	found = append(found, e.recentWhere(func(p *Peer) bool { return p.ID > after && (last == "" || p.ID <= last) })...)
	sortByID(found)
	return found[:min(n, len(found))]
}

// batch returns the number of entries that are evicted, or moved to the archive, at once.
func (e *entries) batch() int { return max(1, min(e.room, e.limit)/10) }

// full reports whether one more entry of size bytes exceeds a limit.
func (e *entries) full(size int) bool {
	return e.len() >= e.limit || e.size()+int64(size) > e.maxBytes()
}

// excessive reports whether the entries exceed a limit.
func (e *entries) excessive() bool { return e.len() > e.limit || e.size() > e.maxBytes() }

func (e *entries) size() int64 { return int64(e.bytes) + e.archive.bytes }

// maxBytes returns the limit of all entries in bytes: 16 MiB for each 10,000 entries of the limit, at least 16 MiB.
func (e *entries) maxBytes() int64 {
	return max(maxBookBytes, maxBookBytes*int64(e.limit)/DefaultKnownPeers)
}

// answersTo reports whether text is the peer's name, or a prefix of its ID of at least minPrefix bytes.
func (p *Peer) answersTo(text string, minPrefix int) bool {
	return p.Name == text || len(text) >= minPrefix && strings.HasPrefix(p.ID, text)
}

// aged is the place of an entry in the order of eviction.
type aged struct {
	returning bool // see Peer.returning
	seen      time.Time
	id        string
	size      int // Peer.bytes
}

func (p *Peer) age() aged { return aged{p.returning(), p.LastSeen, p.ID, p.bytes()} }

// compare orders entries by eviction: those that came once before returning ones, then the least recently seen.
func (a aged) compare(b aged) int {
	if a.returning != b.returning {
		if b.returning {
			return -1
		}
		return 1
	}
	return cmp.Or(a.seen.Compare(b.seen), cmp.Compare(a.id, b.id))
}

// oldestRecent returns the entries in memory that satisfy ok, in the order of eviction.
func (e *entries) oldestRecent(ok func(*Peer) bool) []aged {
	var list []aged
	var p Peer
	for _, p = range e.recent {
		if ok(&p) {
			list = append(list, p.age())
		}
	}
	slices.SortFunc(list, aged.compare)
	return list
}
