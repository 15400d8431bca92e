package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// onIdentified decides about a peer that has shown who it is, and opens the connection or refuses it.
func (r *registry) onIdentified(ctx actor.Context, s *slot, msg *actors.Identified) {
	if s.target != nil && r.cancelUnwanted(ctx, s.target) {
		return
	}
	s.listed = r.book.Allowed(msg.Key)
	why := judgePeer(credentials{
		self:       msg.Key == r.node.Keys.PublicKey(),
		reflected:  s.direction == Inbound && r.node.Keys.IsOwnChallenge(msg.Challenge),
		authorized: r.book.Authorized(msg.Key),
		listed:     s.listed,
		unlisted:   r.unlisted(),
	}, r.cfg)
	if r.stopping {
		why = refusedStopping
	}
	if why != admitted {
		ctx.Send(s.pid, &actors.Refuse{Reason: string(why), Err: r.refusalError(why, msg.Key)})
		return
	}
	r.open(ctx, s, msg)
}

// refusalError is what the one who asked for a connection is told when this node itself refuses it.
func (r *registry) refusalError(why refusal, key crypto.PublicKey) error {
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
	for _, s := range r.slots {
		if s.conn != nil && !s.listed {
			n++
		}
	}
	return n
}

// open takes a connection into service. The order matters: its own events first, then Welcome, then the route table, so
// that no message can overtake them.
func (r *registry) open(ctx actor.Context, s *slot, msg *actors.Identified) {
	id := msg.Identity.ID
	known, _ := r.book.Get(id)
	r.order++
	r.numbers++
	s.key, s.features = msg.Key, msg.Features
	s.rank = rank{
		strength: msg.Strength, living: true, outbound: s.direction == Outbound, order: r.order,
		ordered: s.target != nil && s.target.expect == id,
		smaller: (s.direction == Outbound) == (r.node.Keys.Identity().ID < id),
		demoted: s.direction == Inbound && known.Binds,
	}
	identity := Peer{ID: id, Name: msg.Identity.Name, PublicKey: msg.Identity.PublicKey, Role: msg.Identity.Role}
	s.conn = &PeerConnection{
		handle: s.actor.Handle(), self: r.node.Keys.Identity().ID, bus: r.bus, peer: r.describe(s, identity),
		peerAddress: msg.Remote, direction: s.direction, number: r.numbers,
	}
	s.conn.delivery = actors.NewInbox(connectionSink{s.conn}, r.node.Counters, r.node.LimitedLog, r.deliveries)
	s.conn.setStrength(msg.Strength)
	// No event is delivered before the route table has the connection, so that a handler that answers it with a Send
	// finds the route. The table comes after Welcome, and Welcome after the events, since messages may follow it at once.
	defer s.conn.delivery.Hold()()
	r.peers[id] = append(r.peers[id], s)
	r.publish(id)
	if msg.Strength.Verified() || !msg.Binds { // a peer that binds proves itself at once, and has a route then
		r.announceUp(s)
	}
	s.dedup = r.dedup.Join(id, r.shareGroup(s))
	limiter := r.assignBucket(s)
	ctx.Send(s.pid, &actors.Welcome{
		Inbox: s.conn.delivery, Dedup: s.dedup, Limiter: limiter, Quiet: !known.Features.IsZero(),
	})
	if msg.Strength.Verified() {
		r.applyProof(ctx, s)
	}
	r.onDialOpen(ctx, s)
	if msg.Strength.Verified() {
		r.verifiedOpened(ctx, s)
	}
}

// shareGroup returns the address group that limits the share of departed identities in the dedup set. It is empty, for
// no limit, for allowlisted and dialled peers, and when the configuration sets no limit for one address.
func (r *registry) shareGroup(s *slot) string {
	if s.listed || r.cfg.MaxConnsPerAddress < 0 {
		return ""
	}
	return s.group
}

// claimBurst, and MaxConns more, is how many unverified peers are reported at once before they are reported once per
// second.
const claimBurst = 100

// announceUp tells the program of a peer that it does not know as connected, or not as verified.
func (r *registry) announceUp(s *slot) {
	id, outbound := s.conn.peer.ID, s.direction == Outbound
	state := r.state(id)
	if state.announced == announcedNothing {
		if !s.rank.strength.Verified() && !r.claims.Take(time.Now()) {
			r.omitted++
			return // told once it is verified
		}
		s.conn.delivery.Event(PeerUp{
			Peer: id, Name: s.conn.peer.Name, Address: s.conn.peerAddress, Direction: s.direction, Verified: outbound,
			Connection: s.conn.number, Omitted: r.omitted,
		})
		state.announced, r.omitted = announcedUp, 0
		if outbound {
			state.announced = announcedVerified
		}
	}
	if state.announced == announcedUp && s.rank.strength.Verified() {
		s.conn.delivery.Event(PeerVerified{Peer: id, Name: s.conn.peer.Name})
		state.announced = announcedVerified
	}
}

// describe returns a connected peer as the book would hold it; of who only the identity counts.
func (r *registry) describe(s *slot, identity Peer) Peer {
	now := r.node.Clock().UTC()
	peer, known := r.book.Get(identity.ID)
	if !known {
		peer.AddedAt = now
	} else if peer.Name != identity.Name {
		peer.NamedAt = now
	}
	peer.ID, peer.Name, peer.PublicKey, peer.Role, peer.LastSeen = identity.ID, identity.Name, identity.PublicKey, identity.Role, now
	if t := s.target; t != nil {
		peer.Persistent = peer.Persistent || t.persistent
		peer.AnsweredAt(t.address, t.ordered(identity.ID))
	}
	return peer
}

// onProven notes a stronger proof of a connection, or the first frame on one that we dialled.
func (r *registry) onProven(ctx actor.Context, s *slot, strength actors.Strength, confirmed *actors.RoutePublished) {
	s.rank.framed = true
	if strength > s.rank.strength {
		r.order++
		s.rank.strength, s.rank.order = strength, r.order
		if s.rank.exact() {
			s.rank.bound, s.rank.demoted = time.Now(), false
		}
		s.conn.setStrength(strength)
		confirmed.Limiter = r.assignBucket(s)
	}
	r.applyProof(ctx, s)
	r.verifiedOpened(ctx, s)
}

// onProvenLate notes the proof of a connection whose actor has stopped before the registry took its report. The program
// and the peer book learn of the peer, whose messages were delivered; the connection gets no route.
func (r *registry) onProvenLate(s *slot, strength actors.Strength) {
	if s.closed || s.conn == nil || strength <= s.rank.strength {
		return
	}
	s.rank.framed, s.rank.strength = true, strength
	s.conn.setStrength(strength)
	r.announceUp(s)
	r.recordPeer(s)
}

// applyProof lets a verified connection take part: in the route table, the program's events and the peer book. The
// events come after the table, so that a handler that answers one with a Send finds the route, and before the book, which
// asks the program's clock.
func (r *registry) applyProof(ctx actor.Context, s *slot) {
	r.shareSendBucket(s)
	r.contestRoute(ctx, s)
	r.announceUp(s)
	r.recordPeer(s)
}

// recordPeer enters a verified peer into the peer book. Once a peer has bound a frame, its name, role and features come
// from bound connections only. An unmarked frame on a connection that we dialled shows that the peer runs a release
// without binds again.
func (r *registry) recordPeer(s *slot) {
	known, _ := r.book.Get(s.conn.peer.ID)
	switch {
	case s.rank.exact():
		peer := r.describe(s, s.conn.peer)
		peer.Binds, peer.Features = true, NewTextList(s.features...)
		r.book.Add(peer)
	case !known.Binds && (s.rank.framed || known.ID == ""): // an ack alone renames no peer: a relay may have changed it
		r.book.Add(r.describe(s, s.conn.peer))
	case !known.Binds:
	case s.rank.outbound && s.rank.framed:
		r.node.LimitedLog.Warn("a peer that has bound its frames sends unmarked ones: it was rolled back, or its key is in other hands",
			"peer", s.conn.peer.ID, "address", s.conn.peerAddress)
		r.book.Update(s.conn.peer.ID, func(known *Peer) { known.Binds, known.Features = false, TextList{} })
	}
}
