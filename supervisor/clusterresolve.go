package supervisor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// resolveQuestion begins the question of another member for the peers that a text may stand for. The transport answers
// it; all other questions are the program's.
const resolveQuestion = "resolve "

// maxFitting limits the peers in an answer.
const maxFitting = 64

// fittingPeer is a candidate in the answer of another member.
type fittingPeer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	PublicKey string    `json:"publicKey,omitempty"`
	AddedAt   time.Time `json:"addedAt"`
	NamedAt   time.Time `json:"namedAt,omitzero"`
	Binds     bool      `json:"binds,omitempty"`
	Prefix    bool      `json:"prefix,omitempty"`
	Chosen    bool      `json:"chosen,omitempty"`
}

// answerResolve answers the question for the peers that a text may stand for.
func (t *Transport) answerResolve(text string) ([]byte, error) {
	fitting := fit(text, t.known(text))
	t.markChosen(fitting)
	list := []fittingPeer{}
	for _, c := range fitting[:min(len(fitting), maxFitting)] {
		list = append(list, fittingPeer{
			ID: c.ID, Name: c.Name, PublicKey: c.PublicKey, AddedAt: c.AddedAt, NamedAt: c.NamedAt, Binds: c.Binds,
			Prefix: c.prefix, Chosen: c.chosen,
		})
	}
	return json.Marshal(list)
}

// fittingElsewhere returns the peers that a text may stand for by the knowledge of the other members, and the members
// that did not answer. Without a cluster there are none.
func (t *Transport) fittingElsewhere(text string) (found []candidate, unanswered []string) {
	if t.opts.cluster == nil || text == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	for _, a := range t.AskMembers(ctx, []byte(resolveQuestion+text)) {
		var list []fittingPeer
		if a.Err != nil || json.Unmarshal(a.Answer, &list) != nil {
			unanswered = append(unanswered, a.Member)
			continue
		}
		for _, p := range list {
			if crypto.ValidNodeID(p.ID) {
				found = append(found, candidate{
					Peer: Peer{
						ID: p.ID, Name: p.Name, PublicKey: p.PublicKey, AddedAt: p.AddedAt, NamedAt: p.NamedAt, Binds: p.Binds,
					},
					prefix: p.Prefix, chosen: p.Chosen,
				})
			}
		}
	}
	return found, unanswered
}

// heldElsewhere reports whether a whole node ID is that of a peer of another member.
func (t *Transport) heldElsewhere(id string) bool {
	if t.opts.cluster == nil {
		return false
	}
	_, held := t.opts.cluster.Home(id)
	return held
}

// union returns each peer of both lists once, with the best that a member knows of it: it is chosen if it is anywhere,
// and known since the earliest time.
func union(own, others []candidate) []candidate {
	all := slices.Clone(own)
	for _, c := range others {
		at := slices.IndexFunc(all, func(o candidate) bool { return o.ID == c.ID })
		if at < 0 {
			all = append(all, c)
			continue
		}
		known := &all[at]
		known.chosen = known.chosen || c.chosen
		known.Binds = known.Binds || c.Binds
		if c.Name != "" && c.since().Before(known.since()) {
			known.AddedAt, known.NamedAt = c.AddedAt, c.NamedAt
		}
	}
	return all
}

// asksResolve returns the text of the question for the peers that it may stand for, and whether it is that question.
func asksResolve(question []byte) (text string, asks bool) {
	return strings.CutPrefix(string(question), resolveQuestion)
}
