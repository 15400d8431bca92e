package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// numbered returns n messages with the IDs 0, 1, 2 and payloads of the given size, at least 2 bytes.
func numbered(n, size int) []*Message {
	messages := make([]*Message, n)
	for i := range messages {
		payload := json.RawMessage(`"` + strings.Repeat(string(rune('a'+i%26)), size-2) + `"`)
		messages[i] = &Message{fmt.Sprint(i), MsgChat, "alice", "bob", binaryTime0, payload, ""}
	}
	return messages
}

// joinRecord returns a record with the given messages.
func joinRecord(tb testing.TB, messages ...*Message) []byte {
	tb.Helper()
	var record []byte
	for _, m := range messages {
		var err error
		if record, err = AppendMessage(record, m, "alice", "bob"); err != nil {
			tb.Fatal(err)
		}
	}
	return record
}

// result is the outcome of one call of Next.
type result struct {
	m    *Message
	size int
	err  error
}

// decodeRecord calls Next until the end of the record.
func decodeRecord(d *RecordDecoder) (results []result) {
	for d.More() {
		m, err := d.Next()
		results = append(results, result{m, d.Size(), err})
	}
	return results
}

func TestRecordDecoderReturnsMessagesInOrder(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 33, 1000} {
		messages := numbered(n, 3)
		for i := 5; i < n; i += 7 {
			messages[i].From = "" // JSON form
		}
		record := joinRecord(t, messages...)
		results := decodeRecord(newTestDecoder(record))
		if len(results) != n {
			t.Fatalf("%d of %d messages", len(results), n)
		}
		total := 0
		for i, r := range results {
			total += r.size
			if r.err != nil || !sameMessage(r.m, messages[i]) {
				t.Fatalf("message %d of %d: got %+v, %v", i, n, r.m, r.err)
			}
		}
		if total != len(record) {
			t.Errorf("the sizes add up to %d, not %d", total, len(record))
		}
	}
}

// TestRecordDecoderSkipsMalformedMessages requires that the record goes on, and that each message counts once.
func TestRecordDecoderSkipsMalformedMessages(t *testing.T) {
	bad := "\x00\xff" + uuidForm + timeForm + "null"
	var record []byte
	want := ""
	for i, m := range numbered(40, 9) {
		if i%3 == 0 {
			record, want = append(record, withLength(bad)...), want+"x"
		}
		record, want = append(record, joinRecord(t, m)...), want+"."
	}
	record, want = append(record, 0, 1, '{'), want+"xx" // no byte, and JSON that ends early
	got := ""
	d := newTestDecoder(record)
	for _, r := range decodeRecord(d) {
		if r.err != nil {
			got += "x"
		} else {
			got += "."
		}
		if r.err != nil && (!errors.Is(r.err, ErrMalformed) || errors.Is(r.err, ErrRecord)) {
			t.Error(r.err)
		}
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if m, err := d.Next(); m != nil || err != io.EOF || d.Size() != 0 {
		t.Errorf("at the end: %+v, %v, %d bytes", m, err, d.Size())
	}
}

func TestSkipStepsOverMessages(t *testing.T) {
	messages := numbered(40, 9)
	record := joinRecord(t, messages...)
	record = append(record, withLength("not valid")...)
	d := newTestDecoder(record)
	total := 0
	for i, m := range messages {
		if i%5 > 2 {
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
		} else if got, err := d.Next(); err != nil || !sameMessage(got, m) {
			t.Fatalf("message %d: %+v, %v", i, got, err)
		}
		total += d.Size()
	}
	if err := d.Skip(); err != nil || d.More() || total+d.Size() != len(record) {
		t.Errorf("the last: %v, more: %v, %d of %d bytes", err, d.More(), total+d.Size(), len(record))
	}
	if err := d.Skip(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestRecordDecoderEndsBrokenRecords(t *testing.T) {
	one := string(joinRecord(t, numbered(1, 9)...))
	for name, tail := range map[string]string{
		"length past the end":            "\x09abcdefgh",
		"length cut":                     "\x80",
		"length that is not minimal":     "\x81\x00a",
		"length 0 that is not minimal":   "\x80\x00",
		"length of 6 bytes":              "\x81\x80\x80\x80\x80\x01a",
		"length of 6 bytes, not minimal": "\x81\x80\x80\x80\x80\x00a",
		"length of 35 bits":              "\xff\xff\xff\xff\x7fa",
		"length of 1 past the end":       "\x01",
	} {
		for _, before := range []int{0, 1, 3, 16, 17} {
			for _, skip := range []bool{false, true} {
				d := newTestDecoder([]byte(strings.Repeat(one, before) + tail))
				next := func() error {
					if skip {
						return d.Skip()
					}
					_, err := d.Next()
					return err
				}
				for i := range before {
					if err := next(); err != nil || !d.More() {
						t.Fatalf("%s: message %d of %d: %v", name, i, before, err)
					}
				}
				if err := next(); err != ErrRecord || d.More() || d.Size() != 0 {
					t.Errorf("%s after %d: %v, more: %v, %d bytes", name, before, err, d.More(), d.Size())
				}
				if err := next(); err != io.EOF {
					t.Errorf("%s after %d: then %v", name, before, err)
				}
			}
		}
	}
	if errors.Is(ErrRecord, ErrMalformed) {
		t.Error("ErrRecord looks like a malformed message")
	}
}

func TestRecordDecoderRefusesEmptyRecords(t *testing.T) {
	for _, record := range [][]byte{nil, {}} {
		d := newTestDecoder(record)
		if !d.More() {
			t.Error("no message")
		}
		if _, err := d.Next(); err != ErrRecord || d.More() {
			t.Errorf("Next: %v", err)
		}
		d.Reset(record, nil)
		if err := d.Skip(); err != ErrRecord || d.More() {
			t.Errorf("Skip: %v", err)
		}
	}
	if d := NewRecordDecoder("alice", "bob", 1); d.More() || d.Skip() != io.EOF {
		t.Error("a new decoder has a record")
	}
}

func TestRecordDecoderChecksTheSizeOfEachMessage(t *testing.T) {
	messages := numbered(3, 100)
	messages[1].Payload = json.RawMessage(`"` + strings.Repeat("x", 99) + `"`)
	for _, from := range []string{"alice", ""} { // binary and JSON form
		for _, m := range messages {
			m.From = from
		}
		record := joinRecord(t, messages...)
		limit := len(joinRecord(t, messages[0])) - 1
		if from == "" {
			limit-- // the length has two bytes
		}
		d := NewRecordDecoder("alice", "bob", limit)
		d.Reset(record, nil)
		for i, r := range decodeRecord(d) {
			if tooLarge := i == 1; errors.Is(r.err, ErrMalformed) != tooLarge {
				t.Errorf("from %q: message %d: %v", from, i, r.err)
			}
		}
	}
}

func TestMessagesShareMemoryInGroups(t *testing.T) {
	for _, tt := range []struct {
		n, size int
		groups  []int
	}{
		{40, 9, []int{16, 16, 8}},
		{16, 1 << 10, []int{16}},
		{15, 4 << 10, []int{7, 7, 1}},
		{4, 16<<10 - 100, []int{2, 2}},
		{3, 20 << 10, []int{1, 1, 1}},
	} {
		var groups []int
		d := newTestDecoder(joinRecord(t, numbered(tt.n, tt.size)...))
		for d.More() {
			fresh := d.group == nil
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
			if fresh {
				groups = append(groups, max(len(d.group), 1))
			}
		}
		if !slices.Equal(groups, tt.groups) {
			t.Errorf("%d messages of %d bytes: groups of %v, want %v", tt.n, tt.size, groups, tt.groups)
		}
		if d.group != nil || d.rest != nil {
			t.Errorf("%d messages: the decoder retains the record", tt.n)
		}
	}
}

// TestSharedPayloadsDoNotOverlap appends to each payload.
func TestSharedPayloadsDoNotOverlap(t *testing.T) {
	messages := numbered(16, 9)
	results := decodeRecord(newTestDecoder(joinRecord(t, messages...)))
	for i, r := range results {
		if len(r.m.Payload) != cap(r.m.Payload) {
			t.Errorf("message %d: %d bytes, capacity %d", i, len(r.m.Payload), cap(r.m.Payload))
		}
		_ = append(r.m.Payload, "overwritten"...)
		clear(r.m.Payload)
	}
	for i, r := range results {
		r.m.Payload = messages[i].Payload
		if !sameMessage(r.m, messages[i]) {
			t.Errorf("message %d changed to %+v", i, r.m)
		}
	}
}
