package supervisor

import (
	"time"
)

// describe returns the peer book entry of a connected peer. Only the identity fields of identity are used.
func (r *registry) describe(s *slot, identity Peer) Peer {
	now := r.node.Clock().UTC()
	peer, known := r.book.Get(identity.ID)
	if !known {
		peer.AddedAt = now
	} else if peer.Name != identity.Name {
		peer.NamedAt = now
	}
	peer.ID, peer.Name, peer.PublicKey, peer.Role = identity.ID, identity.Name, identity.PublicKey, identity.Role
	peer.LastSeen = now
	if t := s.target; t != nil {
		peer.Persistent = peer.Persistent || t.persistent
		peer.AnsweredAt(t.address, t.assignedTo(identity.ID))
	}
	return peer
}

// recordPeer stores a verified peer in the peer book. Once a peer has bound a frame, only bound connections (and those
// in a session) change its name, role and features:
//
//	proof of this connection            peer has never bound   peer has bound before
//	session                             stored, binds          stored
//	bound frame                         stored, binds          stored; warned of if the peer is pinned
//	unmarked frame, dialled             stored                 rolled back: warned of, loses binds and pin
//	unmarked frame, accepted            stored                 nothing
//	the ack alone                       stored if unknown      nothing
//
// An ack alone changes no name, because a relay may have altered it.
func (r *registry) recordPeer(s *slot) {
	known, _ := r.book.Get(s.conn.peer.ID)
	switch {
	case s.rank.isBound():
		peer := r.describe(s, s.conn.peer)
		peer.Binds, peer.Features = true, s.features
		peer.Session = peer.Session || s.rank.strength == Session && r.cfg.Session.pins()
		r.book.Add(peer)
		if known.Session && s.rank.strength != Session && r.cfg.Session == SessionPin {
			r.warnOfSMSG(s)
		}
	case !known.Binds:
		if s.rank.framed || known.ID == "" {
			r.book.Add(r.describe(s, s.conn.peer))
		}
	case s.rank.outbound && s.rank.framed:
		r.warnOfRollback(s, known.Session)
		r.book.Update(s.conn.peer.ID, (*Peer).ForgetProtocol)
	}
}

// warnOfSMSG warns that a pinned peer has switched its sessions off, once per peer and day.
func (r *registry) warnOfSMSG(s *slot) {
	if !r.sessionsOff.due(s.conn.peer.ID, time.Now()) {
		return
	}
	r.node.Log.Warn("a peer that has spoken session/1 has switched its sessions off: messages to it have no forward "+
		"secrecy; its pin stays", "peer", s.conn.peer.ID, "address", s.conn.peerAddress)
}

// warnOfRollback warns that a peer sends unmarked frames again, once per peer and day.
func (r *registry) warnOfRollback(s *slot, pinned bool) {
	if !r.rollbacks.due(s.conn.peer.ID, time.Now()) {
		return
	}
	const why = "it was rolled back to an earlier release, or another host has the key of one of the two nodes"
	message := "a peer that has bound its frames sends unmarked ones: " + why
	if pinned {
		message = "a peer that has spoken session/1 sends unmarked frames; its pin was removed, and messages to it have no " +
			"forward secrecy: " + why
	}
	r.node.Log.Warn(message, "peer", s.conn.peer.ID, "address", s.conn.peerAddress)
}

const (
	rollbackRepeat = 24 * time.Hour // between two warnings about one peer
	maxRollbacks   = 1024           // peers with a stored time; beyond them warnings may come sooner
)

// rollbackTimes holds the times of the last warnings, by node ID.
type rollbackTimes map[string]time.Time

// due reports whether a warning about a peer is due, and records it.
func (t rollbackTimes) due(id string, now time.Time) bool {
	if last, known := t[id]; known && now.Sub(last) < rollbackRepeat {
		return false
	}
	if len(t) >= maxRollbacks {
		t.expire(now)
	}
	if len(t) >= maxRollbacks {
		clear(t)
	}
	t[id] = now
	return true
}

// expire drops the times that delay no warning any more.
func (t rollbackTimes) expire(now time.Time) {
	for id, last := range t {
		if now.Sub(last) >= rollbackRepeat {
			delete(t, id)
		}
	}
}
