package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

const (
	minPrefix     = 8           // characters of a node ID that stand for the whole
	maxCandidates = 5           // peers that an error lists
	keptPatience  = time.Second // for the registry's answer

	sameMoment = 10 * time.Second // peers that became known within it have no order
)

// candidate is a peer that a text may mean.
type candidate struct {
	Peer
	prefix bool // the text is a prefix of its id, not its name
	chosen bool // by the operator: persistent, configured or allowlisted
}

// Resolve returns the node ID that a user means: a whole ID, a prefix of 8 characters or more, or a name, of a peer
// that is in the peer book or connected and verified. A name or prefix may fit several peers, since peers choose
// their names: then persistent, configured and allowlisted peers win over others, after that a prefix over a name,
// and of the others the peer wins that is known longest under that name or ID. The error is ErrUnknownPeer, ErrUnverified for the whole ID of a peer that is connected without a proof, or
// ErrAmbiguousPeer with at most 5 candidates. If several peers fit, Resolve asks the registry and waits at most 1 s
// for it. Safe for concurrent use.
func (t *Transport) Resolve(text string) (string, error) {
	known := t.book.List()
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
		return "", fmt.Errorf("%w: %q; give a node ID, %d characters of one or more, or a name; `node peers` lists them",
			ErrUnknownPeer, text, minPrefix)
	case 1:
		return fitting[0].ID, nil
	default:
		return "", fmt.Errorf("%w: %q fits %d peers: %s; give more of the node ID",
			ErrAmbiguousPeer, text, len(fitting), t.listed(fitting))
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
		prefix := len(text) >= minPrefix && strings.HasPrefix(p.ID, text)
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

// listed names candidates for an error, at most maxCandidates, by id. The address of a peer that has only dialled us is
// that of its connection.
func (t *Transport) listed(fitting []candidate) string {
	slices.SortFunc(fitting, func(a, b candidate) int { return cmp.Compare(a.ID, b.ID) })
	var texts []string
	for _, c := range fitting[:min(len(fitting), maxCandidates)] {
		address := c.Address
		if conn := t.GetConnection(c.ID); address == "" && conn != nil {
			address = conn.peerAddress
		}
		texts = append(texts, fmt.Sprintf("%s (%q, %s)", c.ID, c.Name, cmp.Or(address, "no address")))
	}
	if more := len(fitting) - maxCandidates; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}
