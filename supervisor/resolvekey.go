package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/crypto"
)

// ErrClaimedName means that a text is only a name that peers have chosen for themselves, where a name may not select a
// peer. The error is a *ClaimedNameError.
var ErrClaimedName = errors.New("this is only a name that peers claim")

// ClaimedNameError is ErrClaimedName with the peers that claim the name.
type ClaimedNameError struct {
	Text       string
	Candidates []PeerCandidate // one or more, by ID
}

// Error quotes the names and lists ID and public key of at most 5 candidates.
func (e *ClaimedNameError) Error() string {
	return fmt.Sprintf("%v: %q is claimed by %s", ErrClaimedName, e.Text, candidateKeys(e.Candidates))
}

// Unwrap returns ErrClaimedName.
func (e *ClaimedNameError) Unwrap() error { return ErrClaimedName }

// candidateKeys lists ID and public key of at most maxCandidates candidates.
func candidateKeys(candidates []PeerCandidate) string {
	var texts []string
	for _, c := range candidates[:min(len(candidates), maxCandidates)] {
		texts = append(texts, fmt.Sprintf("%s (key %s)", c.ID, cmp.Or(c.PublicKey, "unknown")))
	}
	if more := len(candidates) - maxCandidates; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// ResolveKey returns the public key of the peer that text stands for: a public key in base64, an alias, a whole node
// ID, or a prefix of at least MinIDPrefix characters that only one known peer has. Known are the peers of the peer
// book, connected and verified ones, and the keys of the allowlist and of the revocations. A name that a peer claims is
// refused with a *ClaimedNameError, also if only pending peers claim it. Other errors are an *UnknownPeerError, an
// *AmbiguousPeerError, ErrStopped and ctx's.
func (t *Transport) ResolveKey(ctx context.Context, text string) (crypto.PublicKey, error) {
	if key, err := crypto.ParsePublicKey(text); err == nil {
		return key, nil
	}
	id := cmp.Or(t.book.AliasOwner(text), text)
	var byID, byName []PeerCandidate
	known, unanswered := t.knownKeys(id)
	for _, c := range known {
		switch {
		case c.ID == id:
			return crypto.ParsePublicKey(c.PublicKey)
		case len(id) >= MinIDPrefix && strings.HasPrefix(c.ID, id):
			byID = append(byID, c)
		case c.Name == text:
			byName = append(byName, c)
		}
	}
	switch len(byID) {
	case 0:
	case 1:
		return crypto.ParsePublicKey(byID[0].PublicKey)
	default:
		return crypto.PublicKey{}, &AmbiguousPeerError{Text: text, Candidates: byID}
	}
	refused, err := t.Pending(ctx)
	if err != nil {
		return crypto.PublicKey{}, err
	}
	for _, p := range refused {
		if p.Name == text && !slices.ContainsFunc(byName, func(c PeerCandidate) bool { return c.ID == p.ID }) {
			byName = append(byName, PeerCandidate{ID: p.ID, Name: p.Name, Address: p.Address, PublicKey: p.Key.String()})
		}
	}
	if len(byName) > 0 {
		slices.SortFunc(byName, compareCandidates)
		return crypto.PublicKey{}, &ClaimedNameError{Text: text, Candidates: byName}
	}
	return crypto.PublicKey{}, &UnknownPeerError{Text: text, Unanswered: unanswered}
}

// knownKeys returns the peers with a known key that match a text by ID, prefix or name, each once, by ID; and the
// members that did not answer.
func (t *Transport) knownKeys(text string) (list []PeerCandidate, unanswered []string) {
	found := make(map[string]PeerCandidate)
	add := func(p Peer) {
		if p.PublicKey != "" {
			found[p.ID] = PeerCandidate{ID: p.ID, Name: p.Name, Address: p.Address, PublicKey: p.PublicKey}
		}
	}
	for _, p := range t.book.Find(text, MinIDPrefix) {
		add(p)
	}
	for c := range t.Connections() {
		if p := c.Peer(); p.Name == text || len(text) >= MinIDPrefix && strings.HasPrefix(p.ID, text) {
			add(p)
		}
	}
	others, unanswered := t.fittingElsewhere(text)
	for _, c := range others {
		if _, known := found[c.ID]; !known {
			add(c.Peer)
		}
	}
	for _, key := range slices.Concat(t.book.AllowedKeys(), t.book.RevokedKeys()) {
		id := key.NodeID()
		if _, known := found[id]; !known && len(text) >= MinIDPrefix && strings.HasPrefix(id, text) {
			found[id] = PeerCandidate{ID: id, PublicKey: key.String()}
		}
	}
	for _, c := range found {
		list = append(list, c)
	}
	slices.SortFunc(list, compareCandidates)
	return list, unanswered
}

func compareCandidates(a, b PeerCandidate) int { return cmp.Compare(a.ID, b.ID) }

// ListedKey is a key of the allowlist or of the revocations.
type ListedKey struct {
	Key  crypto.PublicKey
	ID   string // node ID
	Name string // last seen: quote it before printing; empty if the peer is not in the peer book
}

// AllowedKeys returns the allowlist, by node ID.
func (t *Transport) AllowedKeys() []ListedKey { return t.listed(t.book.AllowedKeys()) }

// RevokedKeys returns the revoked keys, by node ID.
func (t *Transport) RevokedKeys() []ListedKey { return t.listed(t.book.RevokedKeys()) }

func (t *Transport) listed(keys []crypto.PublicKey) []ListedKey {
	list := make([]ListedKey, 0, len(keys))
	for _, key := range keys {
		entry := ListedKey{Key: key, ID: key.NodeID()}
		if p, known := t.book.Get(entry.ID); known {
			entry.Name = p.Name
		}
		list = append(list, entry)
	}
	return list
}

// SetAlias gives a peer a local name, by node ID, that wins over the names that peers claim; an empty name removes it.
// See peerbook.Book.SetAlias.
func (t *Transport) SetAlias(peerID, name string) error {
	return t.changeBook(context.Background(), BookChange{Alias: map[string]string{peerID: name}})
}
