package supervisor

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// preloads reports whether the peer book must read the disk for a peer. It does so on another goroutine, once for each
// connection, and then the registry receives msg again.
func (r *registry) preloads(s *slot, msg *actors.Identified) bool {
	if s.preloaded {
		return false
	}
	s.preloaded = true
	load := r.book.Preload(msg.Identity.ID)
	if load == nil {
		return false
	}
	r.node.Spawn(func() {
		load()
		r.node.System.Root.Send(r.self, msg)
	})
	return true
}

// onIdentified opens the connection of a peer that has sent its identity, or refuses it.
func (r *registry) onIdentified(ctx actor.Context, s *slot, msg *actors.Identified) {
	if s.target != nil && r.cancelUnwanted(ctx, s.target) {
		return
	}
	s.listed = r.book.Allowed(msg.Key)
	why := judgePeer(credentials{
		self:       msg.Key == r.node.Keys.PublicKey(),
		reflected:  s.direction == Inbound && r.node.Keys.IsOwnChallenge(msg.Challenge),
		authorized: r.book.Authorized(msg.Key),
		suspended:  r.suspended(msg.Identity.ID),
		listed:     s.listed,
		unlisted:   r.unlisted(),
		session:    msg.Session,
	}, r.cfg)
	if r.leaving() {
		why = refusedStopping
	}
	if why != admitted {
		r.reportRefused(s, msg, why)
		if why == wire.ReasonNotAuthorized {
			r.recordPending(s, msg)
		}
		ctx.Send(s.pid, &actors.Refuse{Reason: string(why), Err: r.refusalError(why, msg.Key)})
		return
	}
	r.open(ctx, s, msg)
}

// refusalError returns the error for the caller of Connect when this node refuses the connection.
func (r *registry) refusalError(why refusal, key crypto.PublicKey) error {
	switch why {
	case wire.ReasonNotAuthorized:
		if r.book.Revoked(key) {
			return ErrRevoked
		}
		return &NotAllowedError{Key: key}
	case refusedSuspended:
		return ErrSuspended
	case refusedSession:
		return ErrSessionRequired
	case refusedStopping:
		return r.leavingError()
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

// open takes a connection into service. The order is fixed:
//
//	hold:        the inbox keeps events and messages back
//	events:      PeerUp is queued
//	Welcome:     the actor may pass messages to the inbox from now on, behind PeerUp
//	route table: for a verified connection, then PeerVerified is queued
//	Connect:     the callers of the dial get the verified connection
//	release:     the inbox runs the handlers
//
// So no message overtakes the events of its connection, and a handler that answers PeerUp with Send finds the route.
func (r *registry) open(ctx actor.Context, s *slot, msg *actors.Identified) {
	id := msg.Identity.ID
	known, _ := r.book.Get(id)
	r.order++
	r.numbers++
	s.key, s.features, s.session = msg.Key, peerbook.NewTextList(msg.Features...), msg.Session
	if s.features == known.Features {
		s.features = known.Features // the same memory
	}
	strength := msg.Strength
	if s.held = r.cfg.Session.holds(s.direction == Outbound, msg.Session, known.Session); s.held {
		strength = Claimed // the ack is no proof: the first frame decides
	}
	s.rank = rank{
		strength: strength, living: true, outbound: s.direction == Outbound, order: r.order,
		expected: s.target != nil && s.target.expect == id,
		smaller:  (s.direction == Outbound) == (r.node.Keys.Identity().ID < id),
		demoted:  s.direction == Inbound && known.Binds,
	}
	identity := Peer{ID: id, Name: msg.Identity.Name, PublicKey: msg.Identity.PublicKey, Role: msg.Identity.Role}
	s.conn = &PeerConnection{
		handle: s.actor.Handle(), self: r.node.Keys.Identity().ID, bus: r.bus, peer: r.describe(s, identity),
		peerAddress: msg.Remote, direction: s.direction, number: r.numbers,
		agent: wire.Agent(msg.Features), confirms: slices.Contains(msg.Features, wire.FeatureConfirm),
	}
	s.conn.inbox = actors.NewInbox(connectionSink{s.conn}, r.node.Counters, r.node.LimitedLog, r.deliveries)
	s.conn.setStrength(strength)
	// The inbox is held until the end of open, also if open panics.
	defer s.conn.inbox.Hold()()
	r.peers[id] = append(r.peers[id], s)
	r.established++
	r.publish(id)
	// A dialled peer, and a peer that binds, are reported when they are verified, which is soon.
	if strength.Verified() || s.direction == Inbound && !msg.Binds {
		r.announceUp(s)
	}
	s.dedup = r.dedup.Join(id, r.shareGroup(s))
	limiter := r.assignBucket(s)
	ctx.Send(s.pid, &actors.Welcome{
		Inbox: s.conn.inbox, Dedup: r.deduplicator(s), Limiter: limiter, Quiet: !known.Features.IsZero(),
		Hold: s.held,
	})
	if strength.Verified() {
		r.applyProof(ctx, s)
		r.settle(ctx, s)
	}
}

// shareGroup returns the address group that limits the share of departed identities in the dedup set. It returns "", no
// limit, for allowlisted and dialled peers, and if the configuration sets no limit for one address.
func (r *registry) shareGroup(s *slot) string {
	if s.listed || r.cfg.MaxConnsPerAddress < 0 {
		return ""
	}
	return s.group
}

// claimBurst, plus MaxConns, is the number of PeerUp events for unverified peers that may be sent at once. The refill
// is one per second.
const claimBurst = 100

// announceUp publishes PeerUp for a peer that the program does not know, and PeerVerified for one that it knows as
// unverified.
func (r *registry) announceUp(s *slot) {
	id, outbound := s.conn.peer.ID, s.direction == Outbound
	if s.rank.strength.Verified() && !r.serves(id) {
		return
	}
	state := r.state(id)
	if state.announced == announcedNothing {
		if !s.rank.strength.Verified() && !r.claims.Take(time.Now()) {
			r.omitted++
			return // PeerUp follows when the peer is verified
		}
		up := newPeerUp(s.conn, s.conn.peer.Name, r.transport.Member())
		up.Verified, up.Omitted = outbound, r.omitted
		r.bus.announce(s.conn, up)
		state.announced, r.omitted = announcedUp, 0
		if outbound {
			state.announced = announcedVerified
		}
	}
	if state.announced == announcedUp && s.rank.strength.Verified() {
		r.bus.announce(s.conn, PeerVerified{Peer: id, Name: s.conn.peer.Name})
		state.announced = announcedVerified
	}
}

// onVerified handles a stronger proof of a connection, or the first frame on a dialled one.
func (r *registry) onVerified(ctx actor.Context, s *slot, strength actors.Strength) {
	s.rank.framed = true
	if strength > s.rank.strength {
		r.order++
		s.rank.strength, s.rank.order = strength, r.order
		if s.rank.isBound() {
			s.rank.boundAt, s.rank.demoted = time.Now(), false
		}
		s.conn.setStrength(strength)
		s.unanswered.Limiter = r.assignBucket(s)
	}
	r.applyProof(ctx, s)
	r.settle(ctx, s)
}

// onVerifiedLate handles the proof of a connection whose actor stopped before the registry processed the report. Its
// messages were delivered, so the program and the peer book learn of the peer. The connection never becomes a route.
func (r *registry) onVerifiedLate(s *slot, strength actors.Strength) {
	if s.closed || s.conn == nil || strength <= s.rank.strength {
		return
	}
	s.rank.framed, s.rank.strength = true, strength
	s.conn.setStrength(strength)
	r.announceUp(s)
	r.recordPeer(s)
}

// applyProof applies the proof of a verified connection in a fixed order: route table, events, peer book. A handler
// that answers an event with Send finds the route. The book comes last because it reads the program's clock, which may
// panic.
func (r *registry) applyProof(ctx actor.Context, s *slot) {
	r.shareSendBucket(s)
	r.contestRoute(ctx, s)
	r.announceUp(s)
	r.recordPeer(s)
}
