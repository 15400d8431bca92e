package supervisor

import (
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// ForgetRule selects peers for Transport.ForgetUnused. A peer is selected if one of the set fields applies.
type ForgetRule struct {
	Unverified bool      // never verified by this node
	Before     time.Time // not seen since; zero: does not apply
}

// before returns the time before which the selected peers were last seen. Peers that were never verified have the zero
// time.
func (f ForgetRule) before() time.Time {
	if f.Before.IsZero() && f.Unverified {
		return time.Time{}.Add(1)
	}
	return f.Before
}

// forgetSlice is the number of peers that the registry removes at once.
const forgetSlice = 1000

// Forget removes peers from the peer book by node ID and returns the IDs of those that were in it. The change is on
// disk when it returns. Open connections stay. A kept peer is redialled only if TransportConfig.Peers contains it. A
// connected peer enters the book again with its next connection. In a cluster the other members remove the peers too,
// unless they have seen them since. The error is ErrStopped, ctx's, ErrBookWrite or ErrMembers.
func (t *Transport) Forget(ctx context.Context, peerIDs ...string) ([]string, error) {
	ids, err := t.forget(ctx, &forget{ids: peerIDs})
	if err == nil && t.opts.cluster != nil {
		err = t.changeBook(ctx, BookChange{Forget: peerIDs})
	}
	return ids, err
}

// ForgetUnused removes the peers that a rule selects and that are neither connected, kept connected, on the
// allowlist nor aliased. Otherwise it is Forget. The registry handles other messages after each 1,000 peers; after an
// error the peers of the returned IDs are removed. The books of the other members of a cluster stay.
func (t *Transport) ForgetUnused(ctx context.Context, rule ForgetRule) ([]string, error) {
	var all []string
	for {
		ids, err := t.forget(ctx, &forget{rule: rule})
		all = append(all, ids...)
		if err != nil || len(ids) < forgetSlice {
			return all, err
		}
	}
}

// ForgetProtocol forgets which additions of the protocol peers have used: features, bound frames and sessions, so that
// messages to them are not held any more. It returns the IDs of the peers that are in the book. A peer that uses a
// session is pinned again by its next one. The change is on disk when it returns. The error is an ErrBookWrite.
func (t *Transport) ForgetProtocol(peerIDs ...string) (known []string, err error) {
	for _, id := range peerIDs {
		if t.book.Update(id, (*Peer).ForgetProtocol) {
			known = append(known, id)
		}
	}
	return known, t.book.Sync()
}

func (t *Transport) forget(ctx context.Context, msg *forget) ([]string, error) {
	answer, err := ask[*forgotten](ctx, t, msg)
	if err != nil {
		return nil, err
	}
	return answer.ids, t.book.Sync()
}

// forget asks to remove peers from the book: those of ids, and those that rule selects; forgotten answers it.
type (
	forget struct {
		ids  []string
		rule ForgetRule
	}
	forgotten struct{ ids []string }
)

func (*forget) fromTransport() {}

func (r *registry) onForget(ctx actor.Context, msg *forget) {
	answer := &forgotten{}
	for _, id := range append(r.unused(msg.rule), msg.ids...) {
		if r.book.Remove(id) {
			answer.ids = append(answer.ids, id)
		}
		r.releaseTargets(ctx, id)
	}
	r.answer(answer)
}

// unused returns up to forgetSlice peers that a rule selects and that are not in use.
func (r *registry) unused(rule ForgetRule) (ids []string) {
	if rule == (ForgetRule{}) {
		return nil
	}
	kept := make(map[string]bool)
	for _, t := range r.targets {
		kept[t.peer], kept[t.expect] = kept[t.peer] || t.keep, kept[t.expect] || t.keep
	}
	return r.book.Unseen(rule.before(), forgetSlice, func(id string) bool { return kept[id] })
}

// releaseTargets stops redialling a peer that only the book kept connected.
func (r *registry) releaseTargets(ctx actor.Context, id string) {
	for _, t := range r.targetsOf.of(id) {
		if !t.persistent {
			continue
		}
		t.persistent = false
		if t.keep = r.configured(t); t.slot == nil {
			r.advance(ctx, t, dialReleased, nil)
		}
	}
}

// configured reports whether TransportConfig.Peers contains the address of a target.
func (r *registry) configured(t *dialTarget) bool {
	return slices.ContainsFunc(r.cfg.Peers, func(address string) bool {
		url, _, err := ParsePinnedAddress(address, r.cfg.WSPath)
		return err == nil && url == t.url
	})
}
