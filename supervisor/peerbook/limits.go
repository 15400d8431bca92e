package peerbook

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Limits of the peer book and of an entry.
const (
	maxRecent    = 10_000   // entries in memory that are not protected from eviction
	maxBookBytes = 16 << 20 // for each 10,000 entries of the book's limit

	maxPeerID        = 64  // bytes; a node ID has 32
	maxPeerKey       = 44  // bytes: a public key in base64
	maxPeerAddress   = 512 // bytes: a URL with a host name of 255
	maxPeerAddresses = 4
	maxPeerFeatures  = 16

	entryBytes = 256 // counted for the fields of fixed size and the map
)

// bytes returns the size that an entry counts for: entryBytes and the length of its texts.
func (p *Peer) bytes() int {
	return entryBytes + len(p.ID) + len(p.Name) + len(p.PublicKey) + len(p.Address) + len(p.Role) +
		len(p.Addresses.lines) + len(p.Features.lines)
}

// cut brings an entry within its limits and reports whether it changed the entry: a name is shortened, any other text
// is left out. Peers that follow the protocol never exceed the limits.
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
	if list := p.Features.first(maxPeerFeatures, wire.ValidFeature); list != p.Features {
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
