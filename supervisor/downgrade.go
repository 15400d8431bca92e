package supervisor

import "time"

// tellDowngrade reports a frame that was sealed for another connection, at most once per second.
func (r *registry) tellDowngrade(p *place) {
	now := time.Now()
	if !r.downgrade.told.IsZero() && now.Sub(r.downgrade.told) < time.Second {
		r.downgrade.omitted++
		return
	}
	r.happened.Event(DowngradeRefused{
		Peer: p.conn.peer.ID, Address: p.conn.peerAddress, Connection: p.conn.number, Omitted: r.downgrade.omitted,
	})
	r.downgrade.told, r.downgrade.omitted = now, 0
}
