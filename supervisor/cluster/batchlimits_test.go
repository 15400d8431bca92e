package cluster

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// limitRow is a message with one text or list of n bytes or entries.
type limitRow struct {
	most   int
	encode func(n int) []byte
	decode func(b []byte) error
}

// Each text and list of a batch, an ack and a broadcast's result has a longest form. The next longer one is refused.
func TestForwardedMessagesAreBounded(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	batchOf := func(entries ...entry) []byte {
		b := append(head{kindBatch, "a", 7}.appendTo(nil), 9)
		for i := range entries {
			b = entries[i].appendTo(b)
		}
		return b
	}
	ackOf := func(results ...entryResult) []byte {
		return (&ack{head: head{kindAck, "a", 7}, results: results}).encode()
	}
	batch := func(b []byte) error {
		_, err := decodeForwarded(b)
		return err
	}
	acked := func(b []byte) error {
		_, err := decodeAck(b)
		return err
	}
	cast := func(b []byte) error {
		sum, err := decodeBroadcast(b)
		if err != nil && (sum.Failed != nil || sum.Moving != nil || !errors.Is(err, supervisor.ErrUnconfirmed)) {
			t.Errorf("result %+v with the error %v", sum, err)
		}
		return err
	}
	castOf := func(peer string, c code, why string) []byte {
		b := appendText(append(appendText([]byte{1}, "first"), byte(codeMoving)), "")
		return appendText(append(appendText(b, peer), byte(c)), why)
	}
	for name, row := range map[string]limitRow{
		"peer": {64, func(n int) []byte { return batchOf(entry{peer: text(n)}) }, batch},
		"role": {64, func(n int) []byte {
			return batchOf(entry{broadcast: true, role: crypto.NodeRole(text(n))})
		}, batch},
		"mode": {int(supervisor.ForwardAnswered), func(n int) []byte {
			return batchOf(entry{peer: "p", mode: supervisor.ForwardMode(n)})
		}, batch},
		"entries":     {256, func(n int) []byte { return batchOf(make([]entry, n)...) }, batch},
		"results":     {512, func(n int) []byte { return ackOf(make([]entryResult, n)...) }, acked},
		"error":       {2048, func(n int) []byte { return ackOf(entryResult{code: codeOther, text: text(n)}) }, acked},
		"words":       {4, wordsOf, acked},
		"failed peer": {64, func(n int) []byte { return castOf(text(n), codeOther, "") }, cast},
		"cause":       {2048, func(n int) []byte { return castOf("p", codeOther, text(n)) }, cast},
	} {
		if err := row.decode(row.encode(row.most)); err != nil {
			t.Errorf("%s: %d is refused: %v", name, row.most, err)
		}
		if err := row.decode(row.encode(row.most + 1)); !errors.Is(err, errMessage) {
			t.Errorf("%s: %d: %v", name, row.most+1, err)
		}
	}
	if err := cast(castOf("p", codeOK, "")); !errors.Is(err, errMessage) {
		t.Errorf("a success with a name: %v", err)
	}
	sum, err := decodeBroadcast(binary.AppendUvarint(nil, 1<<40))
	if err != nil || sum.Sent != 1<<31-1 {
		t.Errorf("%d peers, %v", sum.Sent, err)
	}
	if r := resultOfBroadcast(castResult(-1), false); len(r.data) != 1 || r.data[0] != 0 {
		t.Errorf("a negative number of peers: %v", r.data)
	}
}

func castResult(sent int) supervisor.MemberBroadcast {
	return supervisor.MemberBroadcast{BroadcastResult: supervisor.BroadcastResult{Sent: sent}}
}

// wordsOf is an ack with a set of n words.
func wordsOf(n int) []byte {
	b := head{kindAck, "a", 7}.appendTo(nil)
	b = binary.AppendUvarint(binary.BigEndian.AppendUint64(b, 1), 9)
	return append(append(b, byte(n)), make([]byte, 8*n)...)
}

// The other kind of message on a subject is no ack and no batch.
func TestOtherKindsAreNoAcks(t *testing.T) {
	if a, err := decodeAck(encodeCancel(head{kindCancel, "a", 7}, 9, 1)); a != nil || err != nil {
		t.Errorf("a cancel: %v, %v", a, err)
	}
	var set entrySet
	if set.add(1); set.words() != 1 {
		t.Errorf("%d words, want 1", set.words())
	}
	if set.remove(2); set.has(2) || !set.has(1) {
		t.Error("the removal of an index that is not in the set adds it")
	}
}

// A batch holds 256 messages, and 256 KiB with the longest head of a further message.
func TestBatchesAreBounded(t *testing.T) {
	form := make([]byte, 1000)
	room := maxBytes - entryHead - binary.MaxVarintLen64 - len(form)
	for _, row := range []struct {
		flights, bytes int
		want           bool
	}{{0, room, true}, {0, room + 1, false}, {255, 0, true}, {256, 0, false}} {
		b := &batch{flights: make([]*flight, row.flights), body: make([]byte, row.bytes)}
		if got := b.fits(&flight{entry: entry{form: form}}); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}

// The bus keeps the body of a batch that was sent, and the next one grows in the same buffer, unless that is large.
func TestBatchBuffersAreReusedUnlessLarge(t *testing.T) {
	for size, reused := range map[int]bool{2 * maxBytes: true, 2*maxBytes + 1: false} {
		o, body := &outward{}, make([]byte, 3, size)
		b := &batch{body: body}
		taken := o.takeBody(b)
		if got := o.buffer != nil; got != reused || b.body != nil || len(taken) != 3 {
			t.Errorf("%d bytes: reused %v, batch %v, taken %v", size, got, b.body, taken)
		}
		if shares := &taken[0] == &body[0]; shares == reused {
			t.Errorf("%d bytes: the body that was sent shares the buffer: %v", size, shares)
		}
	}
}
