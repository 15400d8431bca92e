package simulation

import (
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// ledger knows every message that was sent and every one that reached a handler. Safe for concurrent use.
type ledger struct {
	mu         sync.Mutex
	clock      int64 // counts what happens, so that before and after are exact
	made       map[string]*wire.Message
	sends      []*dispatch
	byID       map[string][]*dispatch
	deliveries map[string][]delivery // by message id
	streams    map[*supervisor.PeerConnection]int64
}

// mostAge is how old a message may be when it is sent again, so that it is fresh by any two clocks.
const mostAge = dedupTTL - 2*maxSkew - 10*time.Second

// dispatch is one Send of one message to one peer.
type dispatch struct {
	id       string
	from, to int                        // node indexes
	conn     *supervisor.PeerConnection // nil: not known
	at       time.Time
	begun    int64 // on the ledger's clock
	ended    int64 // 0: it has not returned
	err      error
	settled  bool // it has been checked for good, or cannot be
}

// delivery is one message in a handler.
type delivery struct {
	at   time.Time
	to   int
	life int // incarnation of the receiver
	conn *supervisor.PeerConnection
}

func newLedger() *ledger {
	return &ledger{
		made: make(map[string]*wire.Message), deliveries: make(map[string][]delivery),
		byID:    make(map[string][]*dispatch),
		streams: make(map[*supervisor.PeerConnection]int64),
	}
}

// begin notes that a send begins.
func (l *ledger) begin(msg *wire.Message, d dispatch) *dispatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[msg.ID] = msg
	l.clock++
	d.id, d.at, d.begun = msg.ID, time.Now(), l.clock
	if first := l.byID[d.id]; len(first) > 0 && d.at.Sub(first[0].at) > mostAge {
		d.settled = true // it may be stale for a node whose clock is ahead
	}
	l.sends = append(l.sends, &d)
	l.byID[d.id] = append(l.byID[d.id], &d)
	return &d
}

// end notes that it has returned.
func (l *ledger) end(d *dispatch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	d.ended, d.err = l.clock, err
}

// deliver notes a delivery and returns the earlier ones of the same message to the same node.
func (l *ledger) deliver(id string, d delivery) (before []delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.deliveries[id] {
		if other.to == d.to {
			before = append(before, other)
		}
	}
	l.deliveries[id] = append(l.deliveries[id], d)
	return before
}

// sentTo returns the message as it was sent to a node by another one, or nil.
func (l *ledger) sentTo(id string, from, to int) *wire.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.byID[id] {
		if d.from == from && d.to == to {
			return l.made[id]
		}
	}
	return nil
}

// overtaken reports a message that was sent, to its end, before another one was begun that this connection has
// delivered already. A message that was sent twice has no place in an order.
func (l *ledger) overtaken(id string, from, to int, conn *supervisor.PeerConnection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var only *dispatch
	for _, d := range l.byID[id] {
		if d.from == from && d.to == to {
			if only != nil {
				return false
			}
			only = d
		}
	}
	if only == nil {
		return false
	}
	late := only.ended != 0 && only.ended < l.streams[conn]
	l.streams[conn] = max(l.streams[conn], only.begun)
	return late
}

// arrived reports whether a message has reached a handler of a node; l.mu is held.
func (l *ledger) arrived(id string, to int) bool {
	for _, d := range l.deliveries[id] {
		if d.to == to {
			return true
		}
	}
	return false
}

// recent returns the message of the k-th last send, nil when there is none.
func (l *ledger) recent(k int) *wire.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k >= len(l.sends) {
		return nil
	}
	return l.made[l.sends[len(l.sends)-1-k].id]
}
