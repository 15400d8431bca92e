package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// MinIDPrefix is the minimum number of characters of a node ID prefix for Resolve.
const MinIDPrefix = 8

const (
	keptPatience = time.Second      // for the answer of the registry
	sameMoment   = 10 * time.Second // two peers that became known within this time count as equally old
)

// candidate is a peer that matches a text.
type candidate struct {
	Peer
	prefix bool // the text is a prefix of its id, otherwise its name
	chosen bool // by the operator: persistent, configured or allowlisted
}

// Resolve returns the node ID that text stands for, in this order: an alias; a whole ID, a prefix of at least
// MinIDPrefix characters, or a name, of a peer that is in the peer book or connected and verified. Peers choose their
// own names, so several may match. Then persistent, configured and allowlisted peers win over others, and of the
// remaining peers the one known longest under that name or ID wins. The error is an *UnknownPeerError, ErrUnverified
// for the whole ID of a connected peer without a proof, or an *AmbiguousPeerError. If several peers match, Resolve asks
// the registry and waits at most 1 s for the answer. In a cluster the peers that the other members know count, too;
// Resolve waits at most 2 s for them, and does without members that do not answer. Safe for concurrent use.
func (t *Transport) Resolve(text string) (string, error) {
	if id := t.book.AliasOwner(text); id != "" {
		return id, nil
	}
	fitting := fit(text, t.known(text))
	if crypto.ValidNodeID(text) && (len(fitting) == 1 || t.heldElsewhere(text)) {
		return text, nil
	}
	others, unanswered := t.fittingElsewhere(text)
	if len(fitting)+len(others) > 1 {
		t.markChosen(fitting)
		fitting = prefer(union(fitting, others))
	} else {
		fitting = append(fitting, others...)
	}
	switch len(fitting) {
	case 0:
		if errors.Is(t.routes.missing(text), ErrUnverified) {
			return "", peerError(text, ErrUnverified)
		}
		return "", &UnknownPeerError{Text: text, Unanswered: unanswered}
	case 1:
		return fitting[0].ID, nil
	default:
		return "", &AmbiguousPeerError{Text: text, Candidates: t.candidates(fitting)}
	}
}

// known returns the peers in the peer book that a text may stand for, and all connected ones.
func (t *Transport) known(text string) []Peer {
	known := t.book.Find(text, MinIDPrefix)
	for c := range t.Connections() {
		known = append(known, c.Peer())
	}
	return known
}

// markChosen marks the candidates that the operator has chosen.
func (t *Transport) markChosen(fitting []candidate) {
	kept := t.kept()
	for i, c := range fitting {
		fitting[i].chosen = c.Persistent || kept[c.ID] || t.inform(c.Peer).Allowed
	}
}

// kept returns the ids of peers that the configuration or a caller keeps connected. It is empty if the transport is not
// running.
func (t *Transport) kept() map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), keptPatience)
	defer cancel()
	counted, err := ask[*counts](ctx, t, &getCounts{kept: true})
	if err != nil {
		return nil
	}
	return counted.kept
}

// fit returns the peers that match a text, each once. A text in the form of a whole id matches that id only, never a
// name: a peer may choose another's id as its name.
func fit(text string, known []Peer) (fitting []candidate) {
	seen := make(map[string]bool)
	for _, p := range known {
		prefix := len(text) >= MinIDPrefix && strings.HasPrefix(p.ID, text)
		if !prefix && (p.Name != text || crypto.ValidNodeID(text)) {
			continue
		}
		if !seen[p.ID] {
			seen[p.ID] = true
			fitting = append(fitting, candidate{Peer: p, prefix: prefix})
		}
	}
	return fitting
}

// prefer returns the candidates that win: one, or several that only the operator can tell apart. A prefix wins over a
// name, since a peer chooses its name. Of several prefixes or names, candidates chosen by the operator win, then the
// peer known longest by the text. So a later stranger takes over no name and no prefix.
func prefer(fitting []candidate) []candidate {
	classes := []func(candidate) bool{
		func(c candidate) bool { return c.chosen && c.prefix },
		func(c candidate) bool { return c.prefix },
		func(c candidate) bool { return c.chosen },
		func(candidate) bool { return true },
	}
	for _, in := range classes {
		var class []candidate
		for _, c := range fitting {
			if in(c) {
				class = append(class, c)
			}
		}
		switch {
		case len(class) == 0:
		case class[0].chosen:
			return class
		default:
			return oldest(class)
		}
	}
	return nil
}

// since returns the time at which the peer became known by the text.
func (c candidate) since() time.Time {
	if !c.prefix && c.NamedAt.After(c.AddedAt) {
		return c.NamedAt
	}
	return c.AddedAt
}

// oldest returns the candidates that became known first, and those that followed within sameMoment, since their order
// proves nothing. Of these, peers that bind their frames win over others.
func oldest(class []candidate) []candidate {
	first := slices.MinFunc(class, func(a, b candidate) int { return a.since().Compare(b.since()) }).since()
	class = slices.DeleteFunc(class, func(c candidate) bool { return c.since().Sub(first) >= sameMoment })
	if slices.ContainsFunc(class, func(c candidate) bool { return c.Binds }) {
		class = slices.DeleteFunc(class, func(c candidate) bool { return !c.Binds })
	}
	return class
}

// candidates describes the matching peers, sorted by ID. The address of a peer that this node has never dialled is the
// remote address of its connection.
func (t *Transport) candidates(fitting []candidate) []PeerCandidate {
	list := make([]PeerCandidate, 0, len(fitting))
	for _, c := range fitting {
		address := c.Address
		if conn := t.GetConnection(c.ID); address == "" && conn != nil {
			address = conn.peerAddress
		}
		list = append(list, PeerCandidate{ID: c.ID, Name: c.Name, Address: address, PublicKey: c.PublicKey})
	}
	slices.SortFunc(list, compareCandidates)
	return list
}
