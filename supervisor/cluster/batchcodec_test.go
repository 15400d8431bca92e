package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func exampleBatch() ([]byte, []entry) {
	entries := []entry{
		{mode: supervisor.ForwardWritten, peer: "peer1", form: []byte("one")},
		{mode: supervisor.ForwardAnswered, endless: true, peer: "peer2", form: []byte("two")},
		{broadcast: true, role: "worker", form: []byte("three")},
	}
	body := append(head{kindBatch, "a", 7}.appendTo(nil), 9)
	for i := range entries {
		body = entries[i].appendTo(body)
	}
	return body, entries
}

func exampleAck() *ack {
	a := &ack{head: head{kindAck, "a", 7}, to: 8, batch: 300, results: []entryResult{
		{index: 0},
		{index: 255, code: codeMoved, text: "b"},
		{index: 1, code: codePart, data: []byte("part")},
		{index: 1, data: []byte("rest"), total: 8},
	}}
	a.waiting.add(0)
	a.waiting.add(200)
	return a
}

func TestBatchesDecodeAsEncoded(t *testing.T) {
	body, entries := exampleBatch()
	got, err := decodeForwarded(body)
	want := &received{head: head{kindBatch, "a", 7}, batch: 9, entries: entries}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	got, err = decodeForwarded(encodeCancel(head{kindCancel, "a", 7}, 300, 255))
	want = &received{head: head{kindCancel, "a", 7}, batch: 300, index: 255}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestAcksDecodeAsEncoded(t *testing.T) {
	want := exampleAck()
	got, err := decodeAck(want.encode())
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.results {
		if len(got.results[i].data) == 0 {
			got.results[i].data = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Shortened messages, later versions, unknown kinds and too many entries are refused or ignored.
func TestForwardedMessagesOfBadFormAreRefused(t *testing.T) {
	batch, _ := exampleBatch()
	whole := exampleAck().encode()
	for n := range 14 {
		if _, err := decodeForwarded(batch[:n]); !errors.Is(err, errMessage) {
			t.Errorf("%d bytes of a batch: %v", n, err)
		}
		if _, err := decodeAck(whole[:n]); !errors.Is(err, errMessage) {
			t.Errorf("%d bytes of an ack: %v", n, err)
		}
	}
	many := append(head{kindBatch, "a", 7}.appendTo(nil), 9)
	one := entry{peer: "p"}
	for range maxEntries + 1 {
		many = one.appendTo(many)
	}
	long := append(head{kindBatch, "a", 7}.appendTo(nil), 9)
	one.peer = strings.Repeat("p", maxPeerID+1)
	unknownBit := append(head{kindBatch, "a", 7}.appendTo(nil), 9, 1<<5, 0, 0)
	for name, body := range map[string][]byte{
		"many": many, "long": one.appendTo(long), "bit": unknownBit, "none": append(head{kindBatch, "a", 7}.appendTo(nil), 9),
	} {
		if _, err := decodeForwarded(body); !errors.Is(err, errMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if in, err := decodeForwarded(head{99, "a", 7}.appendTo(nil)); in != nil || err != nil {
		t.Errorf("unknown kind: %v, %v", in, err)
	}
	if _, err := decodeAck([]byte{version + 1}); !errors.Is(err, errVersion) {
		t.Errorf("later version: %v", err)
	}
}

func TestEntrySetHoldsEachIndex(t *testing.T) {
	var set entrySet
	for _, i := range []int{0, 63, 64, 255} {
		set.add(i)
	}
	set.remove(63)
	var got []int
	set.each(func(i int) { got = append(got, i) })
	if !reflect.DeepEqual(got, []int{0, 64, 255}) || set.has(63) || !set.has(255) || set.words() != 4 {
		t.Errorf("indices %v, %d words", got, set.words())
	}
}

// Each error that members know keeps its identity and its text.
func TestErrorsKeepTheirIdentity(t *testing.T) {
	for _, sentinel := range sentinels {
		for _, err := range []error{sentinel, fmt.Errorf("reason: %w", sentinel)} {
			got := decodeError(encodeError(&supervisor.PeerError{Peer: "p", Err: err}))
			if !errors.Is(got, sentinel) || got.Error() != err.Error() {
				t.Errorf("%v became %v", err, got)
			}
		}
	}
	unconfirmed := decodeError(encodeError(&supervisor.UnconfirmedError{Cause: context.DeadlineExceeded}))
	if !errors.Is(unconfirmed, supervisor.ErrUnconfirmed) || !strings.Contains(unconfirmed.Error(), "deadline") {
		t.Errorf("unconfirmed became %v", unconfirmed)
	}
	var refused *supervisor.NotAcceptedError
	if !errors.As(decodeError(encodeError(&supervisor.NotAcceptedError{Receipt: wire.ReceiptStale})), &refused) ||
		refused.Receipt != wire.ReceiptStale {
		t.Errorf("not accepted became %v", refused)
	}
	for err, want := range map[error]string{errors.New("other"): "other", nil: "<nil>"} {
		if got := fmt.Sprint(decodeError(encodeError(err))); got != want {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := decodeError(250, "later"); got.Error() != "later" {
		t.Errorf("a code of a later member became %v", got)
	}
}

func TestBroadcastResultsDecodeAsEncoded(t *testing.T) {
	want := supervisor.MemberBroadcast{
		BroadcastResult: supervisor.BroadcastResult{Sent: 300, Failed: []supervisor.SendFailure{
			{Peer: "p1", Err: supervisor.ErrQueueFull}, {Peer: "p2", Err: supervisor.ErrTooLarge},
		}},
		Moving: []string{"p3", "p4"}, Gone: []string{"p5"}, Relies: []string{"a"},
	}
	got, err := decodeBroadcast(resultOfBroadcast(want, true).data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	earlier := supervisor.MemberBroadcast{BroadcastResult: want.BroadcastResult}
	got, err = decodeBroadcast(resultOfBroadcast(want, false).data) // for a sender that knows no names
	if err != nil || !reflect.DeepEqual(got, earlier) {
		t.Errorf("%+v, %v, want %+v", got, err, earlier)
	}
	if _, err := decodeBroadcast(nil); !errors.Is(err, supervisor.ErrUnconfirmed) {
		t.Errorf("empty result: %v", err)
	}
	refused := resultOfBroadcast(supervisor.MemberBroadcast{
		BroadcastResult: supervisor.BroadcastResult{Refused: supervisor.ErrStopped},
	}, true)
	if err := decodeError(refused.code, refused.text); !errors.Is(err, supervisor.ErrStopped) {
		t.Errorf("refused: %v", err)
	}
}

// Arbitrary bytes cause no panic, and a message that decodes stays within the limits of a batch.
func FuzzForwarded(f *testing.F) {
	batch, _ := exampleBatch()
	f.Add(batch)
	f.Add(encodeCancel(head{kindCancel, "a", 7}, 300, 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := decodeForwarded(b)
		if err != nil || in == nil {
			return
		}
		if len(in.entries) > maxEntries || in.index >= maxEntries {
			t.Errorf("%d entries, index %d", len(in.entries), in.index)
		}
		decoder := wire.NewRecordDecoder("node", "", 8<<20)
		for i := range in.entries {
			if msg, err := in.entries[i].message(decoder); err == nil && msg.ID == "" {
				t.Error("a message without an id")
			}
		}
	})
}

// Arbitrary bytes cause no panic, and an ack that decodes encodes again.
func FuzzAck(f *testing.F) {
	f.Add(exampleAck().encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := decodeAck(b)
		if err != nil || a == nil {
			return
		}
		again, err := decodeAck(a.encode())
		if err != nil || again.waiting != a.waiting || len(again.results) != len(a.results) {
			t.Errorf("%+v encodes as %+v, %v", a, again, err)
		}
		for i := range a.results {
			_ = decodeError(a.results[i].code, a.results[i].text)
		}
	})
}

// Arbitrary bytes cause no panic, and a result that decodes encodes again.
func FuzzBroadcastResult(f *testing.F) {
	f.Add(resultOfBroadcast(supervisor.MemberBroadcast{
		BroadcastResult: supervisor.BroadcastResult{Sent: 3, Failed: []supervisor.SendFailure{
			{Peer: "p", Err: supervisor.ErrClosed},
		}},
		Moving: []string{"q"}, Gone: []string{"r"}, Relies: []string{"a"},
	}, true).data)
	f.Fuzz(func(t *testing.T, b []byte) {
		sum, err := decodeBroadcast(b)
		if err != nil {
			return
		}
		again, err := decodeBroadcast(resultOfBroadcast(sum, true).data)
		if err != nil || again.Sent != sum.Sent || len(again.Failed) != len(sum.Failed) ||
			len(again.Moving)+len(again.Gone)+len(again.Relies) != len(sum.Moving)+len(sum.Gone)+len(sum.Relies) {
			t.Errorf("%+v encodes as %+v, %v", sum, again, err)
		}
	})
}

// A result whose parts are not complete is unconfirmed.
func TestLostPartMakesAResultUnconfirmed(t *testing.T) {
	for total, want := range map[uint64]error{8: nil, 12: supervisor.ErrUnconfirmed} {
		o, b := &outward{}, &batch{flights: []*flight{{}}, left: 1}
		o.conclude(b, &entryResult{code: codePart, data: []byte("part")})
		o.conclude(b, &entryResult{data: []byte("rest"), total: total})
		if len(o.ended) != 1 || !errors.Is(o.ended[0].err, want) || want == nil && string(o.ended[0].data) != "partrest" {
			t.Errorf("of %d bytes: %+v", total, o.ended)
		}
	}
}
