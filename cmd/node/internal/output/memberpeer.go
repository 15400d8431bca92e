package output

import (
	"cmp"
	"slices"
)

// MemberPeer is the entry of a peer in the list of one member.
type MemberPeer struct {
	*Peer
	From string // the member with this list
}

// Better reports whether p describes a peer better than the entry of another member. The entry closer to a connection
// does, then that of the peer's home, so that of a peer that has moved the new connection is shown, then the one that
// has seen it last. home is called at most once.
func (p MemberPeer) Better(other MemberPeer, home func(peer string) string) bool {
	if order := cmp.Compare(closeness(p.State), closeness(other.State)); order != 0 {
		return order > 0
	}
	if p.ID != "" {
		switch home(p.ID) {
		case "":
		case p.From:
			return true
		case other.From:
			return false
		}
	}
	return p.LastSeen.After(other.LastSeen)
}

// closeness orders states by how close they are to a connection.
func closeness(s State) int {
	return slices.Index([]State{StateAway, StateWaiting, StateDialling, StateUnverified, StateConnected}, s)
}

// SetMember sets the member of an entry that comes from a member: itself if it has a connection or dials and the peer
// has no home.
func (p *Peer) SetMember(from string) {
	switch {
	case p.Connected: // the other fields describe this connection, also if the peer has moved meanwhile
		p.Member = from
	case p.State != StateAway:
		p.Member = cmp.Or(p.Member, from)
	}
}
