package supervisor

// standing is what decides between two connections of the same peer.
type standing struct {
	proven    bool   // the peer has shown that it holds its key
	confirmed bool   // it has shown life since the newest rival was proven
	smaller   bool   // the node with the smaller ID opened it
	order     uint64 // when it opened, and once proven, when it was proven
}

// carries reports whether a connection that stands as a does is to carry a peer's traffic rather than one that stands
// as b does.
//
// Proven goes before provisional, so that a stranger with the peer's name takes nothing over. Of two provisional ones
// the older stays. Of two proven ones the one that has shown life wins: when a peer comes back, its old connection
// cannot. When both live, both sides dialled at once, and both choose the one that the smaller ID opened; of two from
// the same side, the newer.
func (a standing) carries(b standing) bool {
	switch {
	case a.proven != b.proven:
		return a.proven
	case !a.proven:
		return a.order < b.order
	case a.confirmed != b.confirmed:
		return a.confirmed
	case a.confirmed && a.smaller != b.smaller:
		return a.smaller
	default:
		return a.order > b.order
	}
}
