package supervisor

import (
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
		reflected:  p.direction == Inbound && r.isOurs(msg.Challenge),
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

// isOurs reports whether a challenge is one of our own dials'.
func (r *registry) isOurs(c challenge) bool { return r.asked[c] != nil }

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

// open takes a connection into service. The order matters: its own events first, then Welcome, then the directory, so
// that no message can overtake them.
func (r *registry) open(ctx actor.Context, p *place, msg *actors.Identified) {
	id := msg.Identity.ID
	r.order++
	p.key, p.features = msg.Key, msg.Features
	p.standing = standing{
		proven: msg.Proven, confirmed: msg.Proven, order: r.order,
		smaller: (p.direction == Outbound) == (r.node.Keys.Identity().ID < id),
	}
	who := Peer{ID: id, Name: msg.Identity.Name, PublicKey: msg.Identity.PublicKey, Role: msg.Identity.Role}
	p.conn = &PeerConnection{
		handle: p.slot.Handle(), self: r.node.Keys.Identity().ID, hub: r.hub, peer: r.describe(p, who), peerAddress: msg.Remote, direction: p.direction,
	}
	p.conn.delivery = actors.NewDelivery(p.conn, r.node.Counters, r.node.Samples, r.deliveries)
	p.conn.verified.Store(msg.Proven)
	// Nothing is told before the directory has the connection, so that who answers the news with a Send reaches it. The
	// directory comes after Welcome, and Welcome after the news, since messages may follow it at once.
	defer p.conn.delivery.Hold()()
	r.peers[id] = append(r.peers[id], p)
	if len(r.peers[id]) == 1 {
		r.verified[id] = msg.Proven
		p.conn.delivery.Event(PeerUp{
			Peer: id, Name: msg.Identity.Name, Address: msg.Remote, Direction: p.direction, Verified: msg.Proven,
		})
	}
	p.dedup = r.dedup.Join(id, r.shareGroup(p))
	ctx.Send(p.pid, &actors.Welcome{
		Delivery: p.conn.delivery,
		Dedup:    p.dedup,
		Limiter:  r.borrow(bucketOf(id, msg.Remote)),
	})
	if msg.Proven {
		r.onProven(ctx, p)
	} else {
		r.reorder(id)
	}
	r.reached(p)
	if msg.Proven {
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

// describe returns a connected peer as the book would hold it; of who only the identity counts.
func (r *registry) describe(p *place, who Peer) Peer {
	now := r.node.Clock().UTC()
	peer, known := r.book.Get(who.ID)
	if !known {
		peer.AddedAt = now
	}
	peer.ID, peer.Name, peer.PublicKey, peer.Role, peer.LastSeen = who.ID, who.Name, who.PublicKey, who.Role, now
	if t := p.target; t != nil {
		peer.Persistent = peer.Persistent || t.remember
		peer.answeredAt(t.address, t.ordered(who.ID))
	}
	return peer
}

// onProven notes that a connection's peer holds its key: only now may it take traffic over, and enter the book.
func (r *registry) onProven(ctx actor.Context, p *place) {
	id := p.conn.peer.ID
	r.order++
	p.standing.proven, p.standing.confirmed, p.standing.order = true, true, r.order
	p.conn.verified.Store(true)
	r.shareSendBucket(p)
	for _, rival := range r.peers[id] {
		if rival != p && rival.standing.proven {
			rival.standing.confirmed = false
			ctx.Send(rival.pid, &actors.Probe{})
		}
	}
	r.reorder(id)
	r.book.Add(r.describe(p, p.conn.peer)) // after the tables, since it asks the program's clock
	if !r.verified[id] {                   // told last, so that who answers the news with a Send reaches the proven connection
		r.verified[id] = true
		p.conn.delivery.Event(PeerVerified{Peer: id, Name: p.conn.peer.Name})
	}
	r.verifiedOpened(ctx, p)
}
