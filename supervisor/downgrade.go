package supervisor

import "time"

// reportDowngrade reports a frame that was sealed for another connection, at most once per second.
func (r *registry) reportDowngrade(s *slot) {
	now := time.Now()
	if !r.downgrade.reported.IsZero() && now.Sub(r.downgrade.reported) < time.Second {
		r.downgrade.omitted++
		return
	}
	r.nodeEvents.Event(DowngradeRefused{
		Peer: s.conn.peer.ID, Address: s.conn.peerAddress, Connection: s.conn.number, Omitted: r.downgrade.omitted,
	})
	r.downgrade.reported, r.downgrade.omitted = now, 0
}
