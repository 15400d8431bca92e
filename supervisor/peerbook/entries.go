package peerbook

import (
	"cmp"
	"slices"
	"strings"
)

// entries holds the peers of a book and the sum of their sizes. Every access to a peer passes through its methods, so
// that an index on disk can take the place of the map. Not safe for concurrent use.
type entries struct {
	peers map[string]Peer // by ID
	bytes int             // sum of Peer.bytes
}

func (e *entries) len() int { return len(e.peers) }

func (e *entries) get(id string) (Peer, bool) {
	p, known := e.peers[id]
	return p, known
}

// put stores an entry in place of the one with the same ID.
func (e *entries) put(p Peer) {
	e.drop(p.ID)
	e.peers[p.ID] = p
	e.bytes += p.bytes()
}

// drop removes an entry and reports whether there was one.
func (e *entries) drop(id string) bool {
	old, known := e.peers[id]
	if known {
		e.bytes -= old.bytes()
		delete(e.peers, id)
	}
	return known
}

// where returns the peers that satisfy ok, by ID.
func (e *entries) where(ok func(*Peer) bool) []Peer {
	found := []Peer{}
	var p Peer // one for all calls of ok: it escapes
	for _, p = range e.peers {
		if ok(&p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// full reports whether one more entry of size bytes exceeds a limit.
func (e *entries) full(size int) bool {
	return len(e.peers) >= maxKnownPeers || e.bytes+size > maxBookBytes
}

// answersTo reports whether text is the peer's name, or a prefix of its ID of at least minPrefix bytes.
func (p *Peer) answersTo(text string, minPrefix int) bool {
	return p.Name == text || len(text) >= minPrefix && strings.HasPrefix(p.ID, text)
}
