package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// dropEvery is the minimum time between two Dropped events of one peer and reason.
const dropEvery = time.Second

// maxDroppedWaiting is the number of queued Dropped events of one peer above which further drops are only added up.
const maxDroppedWaiting = 8

// Dropped reports the number of messages of a verified peer that were dropped for one reason since the last such
// event.
type Dropped struct {
	Reason Counter
	Count  int // 1 or more

	waiting *atomic.Int32 // decremented when the event is taken from the queue
}

// DropReports adds up the dropped messages of each verified peer and reports them in Dropped events: at most one per
// second for each peer and reason, however many connections the peer has and however often it reconnects. It ignores
// unverified connections. It holds the peers with a drop within the last second. The zero value is ready for use. Safe
// for concurrent use.
type DropReports struct {
	mu     sync.Mutex
	peers  map[string]*dropAccount // by node ID
	closed bool
}

// dropAccount holds the drops of one peer. The lock of the reports guards all fields but waiting.
type dropAccount struct {
	waiting atomic.Int32
	reasons []dropCount // short: there are few reasons
	timer   *time.Timer // set as long as the account exists
	last    *Inbox      // of the connection with the last drop
}

// dropCount holds the drops for one reason.
type dropCount struct {
	reason   Counter
	pending  int
	reported time.Time // of the last event; zero: none
}

// add counts one drop of a peer. The event goes to the handlers of the connection with the last drop, at once if no
// event with the same reason is less than a second old.
func (d *DropReports) add(peerID string, reason Counter, to *Inbox) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	a := d.peers[peerID]
	if a == nil {
		if a = (&dropAccount{}); d.peers == nil {
			d.peers = make(map[string]*dropAccount)
		}
		d.peers[peerID] = a
	}
	a.last = to
	a.count(reason)
	if a.timer == nil {
		d.tell(peerID, a)
	}
}

func (a *dropAccount) count(reason Counter) {
	i := slices.IndexFunc(a.reasons, func(c dropCount) bool { return c.reason == reason })
	if i < 0 {
		i = len(a.reasons)
		a.reasons = append(a.reasons, dropCount{reason: reason})
	}
	a.reasons[i].pending++
}

// tell queues the due events of a peer, and sets the timer for later ones or deletes the account. The caller holds mu.
func (d *DropReports) tell(peerID string, a *dropAccount) {
	due, next := a.take(time.Now())
	for _, event := range due {
		a.last.Event(event)
	}
	if next == 0 {
		delete(d.peers, peerID)
		return
	}
	a.timer = time.AfterFunc(next, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.closed {
			d.tell(peerID, a)
		}
	})
}

// take returns the events that are due at now, and the time until the next call. 0 means that the account can be
// deleted: a new one would report the same.
func (a *dropAccount) take(now time.Time) (due []*Dropped, next time.Duration) {
	for i := range a.reasons {
		c := &a.reasons[i]
		left := dropEvery - now.Sub(c.reported)
		switch {
		case !c.reported.IsZero() && left > 0:
			next = sooner(next, left)
		case c.pending == 0:
		case a.waiting.Load() >= maxDroppedWaiting:
			next = sooner(next, dropEvery)
		default:
			a.waiting.Add(1)
			due = append(due, &Dropped{Reason: c.reason, Count: c.pending, waiting: &a.waiting})
			c.pending, c.reported = 0, now
			next = sooner(next, dropEvery)
		}
	}
	if next == 0 && a.waiting.Load() > 0 {
		next = dropEvery // a new account would not count the queued events
	}
	return due, next
}

// sooner returns the smaller duration, where 0 means none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// Close stops the reports. Drops of the last second that no event has reported are in the node's counters only.
func (d *DropReports) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, a := range d.peers {
		a.timer.Stop()
	}
	d.peers = nil
}

// reportDrop reports a drop if the peer is verified.
func (p *connection) reportDrop(reason Counter) {
	if p.node.Drops != nil && p.proof.strength.Verified() && p.inbox != nil {
		p.node.Drops.add(p.peerID, reason, p.inbox)
	}
}
