package actors

import (
	"strings"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// recentDrops holds the IDs of the last messages that a connection has dropped, for the pings that ask for them
// (protocol section 7). Accepted messages are in the dedup set. The zero value is ready.
type recentDrops struct {
	last [wire.MaxConfirm]droppedMessage
	next int // index of the oldest entry
}

type droppedMessage struct {
	id      string
	receipt wire.Receipt
}

// note replaces the oldest entry. It copies the ID, which may share the memory of other messages.
func (d *recentDrops) note(id string, receipt wire.Receipt) {
	d.last[d.next] = droppedMessage{strings.Clone(id), receipt}
	d.next = (d.next + 1) % len(d.last)
}

// receipt returns the latest entry of an ID, or ReceiptUnknown.
func (d *recentDrops) receipt(id string) wire.Receipt {
	if d == nil || id == "" {
		return wire.ReceiptUnknown
	}
	for i := range d.last {
		at := (d.next + len(d.last) - 1 - i) % len(d.last)
		if d.last[at].id == id {
			return d.last[at].receipt
		}
	}
	return wire.ReceiptUnknown
}

// noteDropped records why a message was dropped. Pings, pongs and disconnects are not confirmed. An unverified peer
// occupies no memory here.
func (p *connection) noteDropped(msg *wire.Message, receipt wire.Receipt) {
	if transportType(msg.Type) || !p.proof.strength.Verified() {
		return
	}
	if p.drops == nil {
		p.drops = &recentDrops{}
	}
	p.drops.note(msg.ID, receipt)
}

// receipts answers the request of a ping to confirm messages, at most wire.MaxConfirm. It returns nil for none.
func (p *connection) receipts(ids []string) map[string]wire.Receipt {
	if len(ids) == 0 || !p.proof.strength.Verified() {
		return nil
	}
	now := time.Now()
	receipts := make(map[string]wire.Receipt)
	for _, id := range ids[:min(len(ids), wire.MaxConfirm)] {
		if len(id) <= wire.MaxIDBytes {
			receipts[id] = p.receiptOf(id, now)
		}
	}
	return receipts
}

// receiptOf returns ReceiptOK for an accepted message, also if this connection has dropped a copy of it.
func (p *connection) receiptOf(id string, now time.Time) wire.Receipt {
	asked := &wire.Message{ID: id, From: p.peerID, Timestamp: p.node.ClockAt(now)}
	if p.dedup.Known(asked, now) == Duplicate {
		return wire.ReceiptOK
	}
	return p.drops.receipt(id)
}
