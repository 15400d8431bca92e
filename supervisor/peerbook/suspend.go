package peerbook

import "time"

// Suspend refuses a peer until a time, in either auth mode, by node ID; a zero time ends that. The change is on disk
// when it returns, and holds for later runs. After an ErrWrite nothing has changed.
func (b *Book) Suspend(id string, until time.Time) error {
	_, err := b.Enter(Change{Suspend: map[string]time.Time{id: until}}, time.Now())
	return err
}

// enterSuspended changes the suspension of a peer in memory. b.mu is held.
func (b *Book) enterSuspended(id string, until time.Time) {
	if until.IsZero() {
		delete(b.suspended, id)
		return
	}
	b.suspended[id] = until
}

// SuspendedUntil returns the end of a peer's suspension, or the zero time if the peer is not suspended at now.
func (b *Book) SuspendedUntil(id string, now time.Time) time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if until := b.suspended[id]; until.After(now) {
		return until
	}
	return time.Time{}
}

// Suspended returns the suspensions that have not ended at now, by node ID.
func (b *Book) Suspended(now time.Time) map[string]time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make(map[string]time.Time, len(b.suspended))
	for id, until := range b.suspended {
		if until.After(now) {
			all[id] = until
		}
	}
	return all
}
