package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// onIdentified decides about a peer that has shown who it is, and opens the connection or refuses it.
func (r *registry) onIdentified(ctx actor.Context, p *place, msg *actors.Identified) {
	if p.target != nil && r.cancelUnwanted(ctx, p.target) {
		return
	}
	p.listed = r.book.Allowed(msg.Key)
	why := judgePeer(credentials{
		self:       msg.Key == r.node.Keys.PublicKey(),
		reflected:  p.direction == Inbound && r.node.Keys.IsOwnChallenge(msg.Challenge),
		authorized: r.book.Authorized(msg.Key),
		listed:     p.listed,
		unlisted:   r.unlisted(),
	}, r.cfg)
	if r.stopping {
		why = refusedStopping
	}
	if why != admitted {
		ctx.Send(p.pid, &actors.Refuse{Reason: string(why), Err: r.refusedHere(why, msg.Key)})
		return
	}
	r.open(ctx, p, msg)
}

// refusedHere is what the one who asked for a connection is told when this node itself refuses it.
func (r *registry) refusedHere(why refusal, key crypto.PublicKey) error {
	switch why {
	case wire.ReasonNotAuthorized:
		if r.book.Revoked(key) {
			return ErrRevoked
		}
		return &NotAllowedError{Key: key}
	case refusedStopping:
		return ErrStopped
	case refusedFull:
		return ErrNoRoom
	default:
		return actors.ErrHandshake
	}
}

func (r *registry) unlisted() int {
	if r.cfg.ReservedConns == 0 {
		return 0
	}
	n := 0
	for _, p := range r.places {
		if p.conn != nil && !p.listed {
			n++
		}
	}
	return n
}

// open takes a connection into service. The order matters: its own events first, then Welcome, then the route table, so
// that no message can overtake them.
func (r *registry) open(ctx actor.Context, p *place, msg *actors.Identified) {
	id := msg.Identity.ID
	known, _ := r.book.Get(id)
	r.order++
	r.numbers++
	p.key, p.features = msg.Key, msg.Features
	p.rank = rank{
		strength: msg.Strength, living: true, outbound: p.direction == Outbound, order: r.order,
		ordered: p.target != nil && p.target.expect == id,
		smaller: (p.direction == Outbound) == (r.node.Keys.Identity().ID < id),
		demoted: p.direction == Inbound && known.Binds,
	}
	who := Peer{ID: id, Name: msg.Identity.Name, PublicKey: msg.Identity.PublicKey, Role: msg.Identity.Role}
	p.conn = &PeerConnection{
		handle: p.slot.Handle(), self: r.node.Keys.Identity().ID, hub: r.hub, peer: r.describe(p, who),
		peerAddress: msg.Remote, direction: p.direction, number: r.numbers,
	}
	p.conn.delivery = actors.NewDelivery(connectionSink{p.conn}, r.node.Counters, r.node.Samples, r.deliveries)
	p.conn.setStrength(msg.Strength)
	// No event is delivered before the route table has the connection, so that a handler that answers it with a Send
	// finds the route. The table comes after Welcome, and Welcome after the events, since messages may follow it at once.
	defer p.conn.delivery.Hold()()
	r.peers[id] = append(r.peers[id], p)
	r.publish(id)
	if msg.Strength.Verified() || !msg.Binds { // a peer that binds proves itself at once, and has a route then
		r.announceUp(p)
	}
	p.dedup = r.dedup.Join(id, r.shareGroup(p))
	limiter := r.lend(p)
	ctx.Send(p.pid, &actors.Welcome{
		Delivery: p.conn.delivery, Dedup: p.dedup, Limiter: limiter, Quiet: !known.Features.IsZero(),
	})
	if msg.Strength.Verified() {
		r.settleProof(ctx, p)
	}
	r.reached(ctx, p)
	if msg.Strength.Verified() {
		r.verifiedOpened(ctx, p)
	}
}

// shareGroup returns the address group that limits the share of departed identities in the dedup set. It is empty, for
// no limit, for allowlisted and dialled peers, and when the configuration sets no limit for one address.
func (r *registry) shareGroup(p *place) string {
	if p.listed || r.cfg.MaxConnsPerAddress < 0 {
		return ""
	}
	return p.group
}

// claimBurst, and MaxConns more, is how many unverified peers are reported at once before they are reported once per
// second.
const claimBurst = 100

// announceUp tells the program of a peer that it does not know as connected, or not as verified.
func (r *registry) announceUp(p *place) {
	id, outbound := p.conn.peer.ID, p.direction == Outbound
	s := r.state(id)
	if s.told == toldNothing {
		if !p.rank.strength.Verified() && !r.claims.Take(time.Now()) {
			r.omitted++
			return // told once it is verified
		}
		p.conn.delivery.Event(PeerUp{
			Peer: id, Name: p.conn.peer.Name, Address: p.conn.peerAddress, Direction: p.direction, Verified: outbound,
			Connection: p.conn.number, Omitted: r.omitted,
		})
		s.told, r.omitted = toldUp, 0
		if outbound {
			s.told = toldVerified
		}
	}
	if s.told == toldUp && p.rank.strength.Verified() {
		p.conn.delivery.Event(PeerVerified{Peer: id, Name: p.conn.peer.Name})
		s.told = toldVerified
	}
}

// describe returns a connected peer as the book would hold it; of who only the identity counts.
func (r *registry) describe(p *place, who Peer) Peer {
	now := r.node.Clock().UTC()
	peer, known := r.book.Get(who.ID)
	if !known {
		peer.AddedAt = now
	} else if peer.Name != who.Name {
		peer.NamedAt = now
	}
	peer.ID, peer.Name, peer.PublicKey, peer.Role, peer.LastSeen = who.ID, who.Name, who.PublicKey, who.Role, now
	if t := p.target; t != nil {
		peer.Persistent = peer.Persistent || t.remember
		peer.AnsweredAt(t.address, t.ordered(who.ID))
	}
	return peer
}

// onProven notes a stronger proof of a connection, or the first frame on one that we dialled.
func (r *registry) onProven(ctx actor.Context, p *place, strength actors.Strength, confirmed *actors.Confirmed) {
	p.rank.framed = true
	if strength > p.rank.strength {
		r.order++
		p.rank.strength, p.rank.order = strength, r.order
		if p.rank.exact() {
			p.rank.bound, p.rank.demoted = time.Now(), false
		}
		p.conn.setStrength(strength)
		confirmed.Limiter = r.lend(p)
	}
	r.settleProof(ctx, p)
	r.verifiedOpened(ctx, p)
}

// onProvenLate notes the proof of a connection whose actor has stopped before the registry took its report. The program
// and the peer book learn of the peer, whose messages were delivered; the connection gets no route.
func (r *registry) onProvenLate(p *place, strength actors.Strength) {
	if p.gone || p.conn == nil || strength <= p.rank.strength {
		return
	}
	p.rank.framed, p.rank.strength = true, strength
	p.conn.setStrength(strength)
	r.announceUp(p)
	r.remember(p)
}

// settleProof lets a verified connection take part: in the route table, the program's events and the peer book. The
// events come after the table, so that a handler that answers one with a Send finds the route, and before the book, which
// asks the program's clock.
func (r *registry) settleProof(ctx actor.Context, p *place) {
	r.shareSendBucket(p)
	r.settleRoute(ctx, p)
	r.announceUp(p)
	r.remember(p)
}

// remember enters a verified peer into the peer book. Once a peer has bound a frame, its name, role and features come
// from bound connections only. An unmarked frame on a connection that we dialled shows that the peer runs a release
// without binds again.
func (r *registry) remember(p *place) {
	known, _ := r.book.Get(p.conn.peer.ID)
	switch {
	case p.rank.exact():
		peer := r.describe(p, p.conn.peer)
		peer.Binds, peer.Features = true, NewTextList(p.features...)
		r.book.Add(peer)
	case !known.Binds && (p.rank.framed || known.ID == ""): // an ack alone renames no peer: a relay may have changed it
		r.book.Add(r.describe(p, p.conn.peer))
	case !known.Binds:
	case p.rank.outbound && p.rank.framed:
		r.node.Samples.Warn("a peer that has bound its frames sends unmarked ones: it was rolled back, or its key is in other hands",
			"peer", p.conn.peer.ID, "address", p.conn.peerAddress)
		r.book.Update(p.conn.peer.ID, func(known *Peer) { known.Binds, known.Features = false, TextList{} })
	}
}
