package supervisor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// MinIDPrefix is the least number of characters of a node ID that Resolve accepts for the whole.
const MinIDPrefix = 8

const (
	keptPatience = time.Second      // for the registry's answer
	sameMoment   = 10 * time.Second // peers that became known within it have no order
)

// candidate is a peer that a text may mean.
type candidate struct {
	Peer
	prefix bool // the text is a prefix of its id, not its name
	chosen bool // by the operator: persistent, configured or allowlisted
}

// Resolve returns the node ID that text stands for: a whole ID, a prefix of MinIDPrefix characters or more, or a name,
// of a peer that is in the peer book or connected and verified. If several peers fit, because peers choose their own
// names, then persistent, configured and allowlisted peers win over others, after that a prefix over a name, and of the
// others the peer that has been known longest under that name or ID. The error is an *UnknownPeerError,
// ErrUnverified for the whole ID of a peer that is connected without a proof, or an *AmbiguousPeerError. If several
// peers fit, Resolve asks the registry and waits at most 1 s for its answer. Safe for concurrent use.
func (t *Transport) Resolve(text string) (string, error) {
	known := t.book.Find(text, MinIDPrefix)
	for c := range t.Connections() {
		known = append(known, c.Peer())
	}
	fitting := fit(text, known)
	if len(fitting) > 1 {
		kept := t.kept()
		for i, c := range fitting {
			fitting[i].chosen = c.Persistent || kept[c.ID] || t.inform(c.Peer).Allowed
		}
		fitting = prefer(fitting)
	}
	switch len(fitting) {
	case 0:
		if errors.Is(t.routes.missing(text), ErrUnverified) {
			return "", peerError(text, ErrUnverified)
		}
		return "", &UnknownPeerError{Text: text}
	case 1:
		return fitting[0].ID, nil
	default:
		return "", &AmbiguousPeerError{Text: text, Candidates: t.candidates(fitting)}
	}
}

// kept returns the ids of the peers that the configuration or a caller keeps connected, empty if the transport is not
// running.
func (t *Transport) kept() map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), keptPatience)
	defer cancel()
	counted, err := ask[*counts](ctx, t, &getCounts{})
	if err != nil {
		return nil
	}
	return counted.kept
}

// fit returns the peers that a text may mean, each once. A whole id means that peer only; a text of its form is no
// name, since a peer may take another's id for its name.
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

// prefer returns the candidates that win over the others: one, or several that only the operator can tell apart. Those
// that the operator chose win; among several of them a prefix wins over a name. Of peers that were not chosen, a prefix
// wins over a name too, and then the peer known longest by it: a later stranger takes no name and no prefix.
func prefer(fitting []candidate) []candidate {
	classes := []func(candidate) bool{
		func(c candidate) bool { return c.chosen && c.prefix },
		func(c candidate) bool { return c.chosen },
		func(c candidate) bool { return c.prefix },
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

// since is when the peer became known by the text.
func (c candidate) since() time.Time {
	if !c.prefix && c.NamedAt.After(c.AddedAt) {
		return c.NamedAt
	}
	return c.AddedAt
}

// oldest returns the candidates that became known first, with those that followed within sameMoment: no order in time
// tells them apart. Of these, peers that bind their frames win over others.
func oldest(class []candidate) []candidate {
	first := slices.MinFunc(class, func(a, b candidate) int { return a.since().Compare(b.since()) }).since()
	class = slices.DeleteFunc(class, func(c candidate) bool { return c.since().Sub(first) >= sameMoment })
	if slices.ContainsFunc(class, func(c candidate) bool { return c.Binds }) {
		class = slices.DeleteFunc(class, func(c candidate) bool { return !c.Binds })
	}
	return class
}

// candidates describes the peers that fit, by ID. The address of a peer that this node has never dialled is the remote
// address of its connection.
func (t *Transport) candidates(fitting []candidate) []PeerCandidate {
	list := make([]PeerCandidate, 0, len(fitting))
	for _, c := range fitting {
		address := c.Address
		if conn := t.GetConnection(c.ID); address == "" && conn != nil {
			address = conn.peerAddress
		}
		list = append(list, PeerCandidate{ID: c.ID, Name: c.Name, Address: address})
	}
	slices.SortFunc(list, func(a, b PeerCandidate) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
