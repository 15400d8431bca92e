package peerbook

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Limits of the peer book. Identities cost an attacker nothing.
const (
	maxKnownPeers = 10_000
	maxBookBytes  = 16 << 20

	maxPeerID        = 64  // bytes; a node ID has 32
	maxPeerKey       = 44  // bytes: a public key in base64
	maxPeerAddress   = 512 // bytes: a URL with a host name of 255
	maxPeerAddresses = 4
	maxPeerFeatures  = 16

	// entryBytes is the part of an entry whose size is fixed: keys and times.
	entryBytes = 256

	// settledAfter tells a peer that has come back from one that a stranger made up for a single visit.
	settledAfter = time.Hour
)

// bytes returns the size of an entry in the book: a fixed part and its texts.
func (p *Peer) bytes() int {
	return entryBytes + len(p.ID) + len(p.Name) + len(p.PublicKey) + len(p.Address) + len(p.Role) +
		len(p.Addresses.lines) + len(p.Features.lines)
}

// cut brings an entry within its limits and reports whether it had to: a name is cut, any other text is left out. An
// honest peer never exceeds them.
func (p *Peer) cut() (changed bool) {
	leaveOut := func(text *string, limit int) {
		if len(*text) > limit {
			*text, changed = "", true
		}
	}
	leaveOut(&p.PublicKey, maxPeerKey)
	leaveOut(&p.Address, maxPeerAddress)
	if crypto.CheckName(p.Name) != nil {
		p.Name, changed = cutName(p.Name), true
	}
	if _, err := crypto.ParseRole(string(p.Role)); err != nil && p.Role != "" {
		p.Role, changed = "", true
	}
	short := func(address string) bool { return len(address) <= maxPeerAddress }
	if list := p.Addresses.first(maxPeerAddresses, short); list != p.Addresses {
		p.Addresses, changed = list, true
	}
	valid := func(feature string) bool { return len(wire.ReceivedFeatures([]string{feature})) == 1 }
	if list := p.Features.first(maxPeerFeatures, valid); list != p.Features {
		p.Features, changed = list, true
	}
	return changed
}

// cutName returns the part of a name that crypto.CheckName accepts.
func cutName(name string) string {
	name = strings.ToValidUTF8(name[:min(len(name), 2*crypto.MaxNameLength)], "")
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	for len(name) > crypto.MaxNameLength {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// makeRoom evicts until an entry of this size fits, and reports whether it does. r.mu is held.
func (r *Book) makeRoom(size int) bool {
	for len(r.peers) >= maxKnownPeers || r.bytes+size > maxBookBytes {
		if !r.evict() {
			return false
		}
	}
	return true
}

// evict removes up to a tenth of the book at once, so that a burst of newcomers does not search it for each, and reports
// whether there was anything to remove. Peers that are persistent, connected or on the allowlist stay. Of the others those
// that came for a single visit go first, and settled ones only when there are no visitors; the least recently seen first.
// So made-up identities displace each other. r.mu is held.
func (r *Book) evict() bool {
	var visitors, settled []Peer
	for _, p := range r.peers {
		switch {
		case r.keeps(p):
		case isSettled(p):
			settled = append(settled, p)
		default:
			visitors = append(visitors, p)
		}
	}
	victims := visitors
	if len(victims) == 0 {
		victims = settled
	}
	slices.SortFunc(victims, func(a, b Peer) int { return a.LastSeen.Compare(b.LastSeen) })
	for _, p := range victims[:min(len(victims), maxKnownPeers/10)] {
		r.drop(p.ID)
	}
	return len(victims) > 0
}

// isSettled reports whether a peer was dialled by this node or has come back after an hour.
func isSettled(p Peer) bool { return p.Address != "" || p.LastSeen.Sub(p.AddedAt) >= settledAfter }

// keeps reports whether an entry must not be evicted. r.mu is held.
func (r *Book) keeps(p Peer) bool {
	// The book itself knows only when a connection began.
	if p.Persistent || r.inUse != nil && r.inUse(p.ID) {
		return true
	}
	key, err := crypto.ParsePublicKey(p.PublicKey)
	_, listed := r.allowed[key]
	return err == nil && listed
}
