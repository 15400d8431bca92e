package supervisor

import (
	"net"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// upgradeDeadline is the deadline of a connection for its upgrade: HandshakeTimeout after the accept. When it passes,
// the connection is closed, and its request stops waiting for a slot. One timer serves all deadlines: a timer that is
// stopped before its time stays in memory.
type upgradeDeadline struct {
	due     time.Time           // on the running clock
	answers chan<- *actors.Slot // of the request, with room for nil; nil: none waits
}

// sweepPause is the shortest time between two sweeps of the deadlines: connections are closed so much later at most.
const sweepPause = 100 * time.Millisecond

// startDeadline sets the deadline of a new connection. The caller holds l.mu.
func (l *listener) startDeadline(conn net.Conn) {
	due := l.acceptedAt(conn).Add(l.live.Load().HandshakeTimeout)
	l.deadlines[conn] = upgradeDeadline{due: due}
	l.sweepAt(due)
}

// sweepAt sets the timer to due unless it fires earlier. The caller holds l.mu.
func (l *listener) sweepAt(due time.Time) {
	if !l.nextSweep.IsZero() && !due.Before(l.nextSweep) {
		return
	}
	l.nextSweep = due
	left := max(due.Sub(l.node.Running.Now()), 0)
	if l.sweeper == nil {
		l.sweeper = l.node.Running.AfterFunc(left, l.sweep)
		return
	}
	l.sweeper.Reset(left)
}

// sweep handles the deadlines that have passed.
func (l *listener) sweep() {
	for conn, d := range l.takePassed(l.node.Running.Now()) {
		if d.answers != nil {
			d.answers <- nil
		}
		abort(conn)
	}
}

// takePassed removes and returns the deadlines that have passed at now, and sets the timer for the others.
func (l *listener) takePassed(now time.Time) map[net.Conn]upgradeDeadline {
	l.mu.Lock()
	defer l.mu.Unlock()
	passed, next := make(map[net.Conn]upgradeDeadline), time.Time{}
	for conn, d := range l.deadlines {
		switch {
		case !d.due.After(now):
			passed[conn] = d
			delete(l.deadlines, conn)
		case next.IsZero() || d.due.Before(next):
			next = d.due
		}
	}
	if l.nextSweep = (time.Time{}); !next.IsZero() {
		l.sweepAt(now.Add(max(next.Sub(now), sweepPause)))
	}
	return passed
}

// awaitUntilDeadline makes the deadline of conn send nil to answers. It returns false if the deadline has passed or the
// connection is closed.
func (l *listener) awaitUntilDeadline(conn net.Conn, answers chan<- *actors.Slot) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, set := l.deadlines[conn]
	if set {
		d.answers = answers
		l.deadlines[conn] = d
	}
	return set
}
