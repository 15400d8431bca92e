package simulation

import (
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// ledger records every sent message and every delivery to a handler. Safe for concurrent use.
type ledger struct {
	mu         sync.Mutex
	clock      int64 // incremented at each start and end of a Send, for an exact order
	made       map[string]*wire.Message
	sends      []*dispatch
	byID       map[string][]*dispatch
	deliveries map[string][]delivery // by message ID
	streams    map[*supervisor.PeerConnection]int64
}

// maxResendAge limits the age of a message that is sent again, so that it is fresh by the clocks of all nodes.
const maxResendAge = dedupTTL - 2*maxSkew - 10*time.Second

// dispatch is one Send of one message to one peer.
type dispatch struct {
	id       string
	from, to int                        // node indexes
	conn     *supervisor.PeerConnection // nil: unknown
	at       time.Time
	begun    int64 // on the ledger's clock
	ended    int64 // on the ledger's clock; 0: Send has not returned
	err      error
	reported bool // checkReported has judged it
	checked  bool // the delivery has been checked, or cannot be checked
}

// delivery is one call of a handler with a message.
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

// begin records the start of a send.
func (l *ledger) begin(msg *wire.Message, d dispatch) *dispatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[msg.ID] = msg
	l.clock++
	d.id, d.at, d.begun = msg.ID, time.Now(), l.clock
	if first := l.byID[d.id]; len(first) > 0 && d.at.Sub(first[0].at) > maxResendAge {
		d.checked = true // a node whose clock is ahead may reject it as stale
	}
	l.sends = append(l.sends, &d)
	l.byID[d.id] = append(l.byID[d.id], &d)
	return &d
}

// end records the result of a send.
func (l *ledger) end(d *dispatch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	d.ended, d.err = l.clock, err
}

// deliver records a delivery and returns the earlier ones of the same message to the same node.
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

// sentTo returns the message with this ID that node from sent to node to, or nil.
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

// overtaken records the delivery of a message and reports whether conn has already delivered a message whose Send began
// after the Send of this one returned. Messages that were sent twice are ignored, because they have no order.
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

// dialled reports whether node from has sent a message to node to over connections that it had dialled, and only over
// such.
func (l *ledger) dialled(id string, from, to int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for _, d := range l.byID[id] {
		if d.from == from && d.to == to {
			if d.conn == nil || d.conn.Direction() != supervisor.Outbound {
				return false
			}
			found = true
		}
	}
	return found
}

// arrived reports whether a message has reached a handler of node to. The caller holds l.mu.
func (l *ledger) arrived(id string, to int) bool {
	for _, d := range l.deliveries[id] {
		if d.to == to {
			return true
		}
	}
	return false
}

// recent returns the message of the k-th last send, or nil if there are fewer.
func (l *ledger) recent(k int) *wire.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k >= len(l.sends) {
		return nil
	}
	return l.made[l.sends[len(l.sends)-1-k].id]
}
