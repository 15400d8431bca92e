package actors

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// confirmed pings with IDs and returns the receipts in the pong.
func (p *remote) confirmed(ids ...string) map[string]wire.Receipt {
	p.send(wire.MsgPing, wire.ConfirmPing{PingPayload: wire.PingPayload{SentAt: 5}, Confirm: ids})
	pongs := p.got(wire.MsgPong)
	var payload wire.ConfirmPong
	if err := pongs[len(pongs)-1].ParsePayload(&payload); err != nil || payload.SentAt != 5 {
		p.rig.t.Errorf("pong %+v, %v", payload, err)
	}
	return payload.Confirmed
}

func TestPingIsAnsweredWithReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		accepted, stale, refused := p.send("stats", 1), p.message("stats", 2), p.message("stats", 3)
		p.sendFrame(p.frame(accepted)) // a duplicate
		stale.Timestamp = stale.Timestamp.Add(-time.Hour)
		p.sendFrame(p.frame(stale))
		refused.From = r.node.Keys.Identity().ID
		p.sendFrame(p.frame(refused))
		want := map[string]wire.Receipt{
			accepted.ID: wire.ReceiptOK, stale.ID: wire.ReceiptStale, refused.ID: wire.ReceiptRefused,
			"never sent": wire.ReceiptUnknown, "": wire.ReceiptUnknown,
		}
		if got := p.confirmed(accepted.ID, stale.ID, refused.ID, "never sent", ""); !maps.Equal(got, want) {
			t.Errorf("receipts %v, want %v", got, want)
		}
		if got := p.confirmed(); got != nil {
			t.Errorf("a ping without IDs got the receipts %v", got)
		}
		stale.Timestamp = time.Now()
		p.sendFrame(p.frame(stale)) // again, in time
		if got := p.confirmed(stale.ID)[stale.ID]; got != wire.ReceiptOK {
			t.Errorf("a message that was dropped and then accepted: %s", got)
		}
	})
}

func TestReceiptsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		var ids []string
		for i := range wire.MaxConfirm + 1 {
			ids = append(ids, fmt.Sprint("id", i))
		}
		if got := len(p.confirmed(ids...)); got != wire.MaxConfirm {
			t.Errorf("%d receipts, want %d", got, wire.MaxConfirm)
		}
		if got := p.confirmed(fmt.Sprintf("%065d", 0)); len(got) != 0 {
			t.Errorf("an ID of 65 bytes has the receipts %v", got)
		}
	})
	var d recentDrops
	for i := range wire.MaxConfirm + 1 {
		d.note(fmt.Sprint("id", i), wire.ReceiptStale)
	}
	d.note("id5", wire.ReceiptRefused)
	for id, want := range map[string]wire.Receipt{
		"id0": wire.ReceiptUnknown, "id1": wire.ReceiptUnknown, "id2": wire.ReceiptStale, "id64": wire.ReceiptStale,
		"id5": wire.ReceiptRefused, "": wire.ReceiptUnknown,
	} {
		if got := d.receipt(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// A peer that has proved nothing learns nothing, and its messages leave no entry.
func TestUnverifiedPeersGetNoReceipts(t *testing.T) {
	p := &connection{}
	if got := p.receipts([]string{"x"}); got != nil {
		t.Errorf("receipts %v", got)
	}
	if p.noteDropped(&wire.Message{ID: "x", Type: "stats"}, wire.ReceiptStale); p.drops != nil {
		t.Error("an entry was stored")
	}
}
