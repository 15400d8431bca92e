package supervisor

import (
	"cmp"
	"fmt"
	"strings"
)

// maxCandidates is the number of peers that the text of an AmbiguousPeerError lists.
const maxCandidates = 5

// UnknownPeerError is ErrUnknownPeer with the text that no known peer fits.
type UnknownPeerError struct {
	Text       string
	Unanswered []string // members of the cluster that did not answer and may know the peer, by name
}

func (e *UnknownPeerError) Error() string {
	text := fmt.Sprintf("%v: %q", ErrUnknownPeer, e.Text)
	if len(e.Unanswered) > 0 {
		text += ", but these members did not answer: " + strings.Join(e.Unanswered, ", ")
	}
	return text
}

// Unwrap returns ErrUnknownPeer.
func (e *UnknownPeerError) Unwrap() error { return ErrUnknownPeer }

// AmbiguousPeerError is ErrAmbiguousPeer with the peers that the text may stand for.
type AmbiguousPeerError struct {
	Text       string
	Candidates []PeerCandidate // two or more, by ID
}

// PeerCandidate is a peer that a text may stand for.
type PeerCandidate struct {
	ID        string // node ID
	Name      string // claimed by the peer
	Address   string // empty if unknown
	PublicKey string // base64
}

// Error quotes the names and lists at most 5 candidates.
func (e *AmbiguousPeerError) Error() string {
	var texts []string
	for _, c := range e.Candidates[:min(len(e.Candidates), maxCandidates)] {
		texts = append(texts, fmt.Sprintf("%s (%q, %s)", c.ID, c.Name, cmp.Or(c.Address, "no address")))
	}
	if more := len(e.Candidates) - maxCandidates; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%v: %q fits %d peers: %s", ErrAmbiguousPeer, e.Text, len(e.Candidates), strings.Join(texts, ", "))
}

// Unwrap returns ErrAmbiguousPeer.
func (e *AmbiguousPeerError) Unwrap() error { return ErrAmbiguousPeer }
