package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

// FuzzRecordMessages requires that all forms of a message decode to the same fields: the sealed body of an SMSG frame,
// the JSON form, and the form that AppendMessage chooses, alone and between two others.
func FuzzRecordMessages(f *testing.F) {
	const uuid = "6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01"
	f.Add(uuid, "chat", "alice", "bob", uuid, int64(1773234159), int64(123456789), 0, []byte(`"text"`), true)
	f.Add("a", "own", "carol", "", "r", int64(-1), int64(0), 0, []byte(` {"a" : [1] } `), false)
	f.Add("\xff", "\u2028", "", "bob", "é", int64(253402300799), int64(1), 3600, []byte("\"\xff\\u0041\""), true)
	f.Fuzz(func(t *testing.T, id, kind, from, to, replyTo string, sec, nsec int64, zone int, payload []byte, one bool) {
		ts := time.Unix(sec, nsec).In(time.FixedZone("", zone%100_000))
		m := &Message{id, MessageType(kind), from, to, ts, payload, replyTo}
		sealed, err := AppendSealedBody(nil, m, testTime)
		receiver := ""
		if one {
			receiver = "bob"
		}
		form, formErr := AppendMessage([]byte("before"), m, "alice", receiver)
		if (err != nil) != (formErr != nil) {
			t.Fatalf("AppendMessage: %v, AppendSealedBody: %v", formErr, err)
		}
		form, kept := bytes.CutPrefix(form, []byte("before"))
		if !kept {
			t.Fatal("the start of dst was changed")
		}
		if err != nil {
			return
		}
		want, _, err := DecodeSealedBody(append(sealed, '}'), nil)
		got, formErr := decodeOne(form)
		if (err != nil) != (formErr != nil) {
			t.Fatalf("record: %v, sealed body: %v", formErr, err)
		}
		if m.Validate() == nil && err != nil {
			t.Fatalf("a valid message is refused: %v", err)
		}
		if err != nil {
			return
		}
		if !sameMessage(got, want) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", form, got, want)
		}
		data, err := want.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err = decodeOne(append(appendLEB128(nil, len(data)), data...))
		if err != nil || !sameMessage(got, want) {
			t.Fatalf("%s:\ngot  %+v, %v\nwant %+v", data, got, err, want)
		}
		d := newTestDecoder(bytes.Repeat(form, 3))
		if 3*len(form) > maxTogether {
			if _, err := d.Next(); !errors.Is(err, ErrRecord) {
				t.Fatalf("%d bytes of several messages: %v", 3*len(form), err)
			}
			return
		}
		for range 3 {
			if got, err := d.Next(); err != nil || !sameMessage(got, want) {
				t.Fatalf("three times %q:\ngot  %+v, %v\nwant %+v", form, got, err, want)
			}
		}
	})
}

// newTestDecoder decodes a record from alice to bob with messages of at most 1 MiB.
func newTestDecoder(record []byte) *RecordDecoder {
	d := NewRecordDecoder("alice", "bob", 1<<20)
	d.Reset(record, nil)
	return d
}

// decodeOne decodes a record with one message.
func decodeOne(record []byte) (*Message, error) {
	d := newTestDecoder(record)
	m, err := d.Next()
	if d.More() {
		return nil, errors.New("the record holds more than one message")
	}
	return m, err
}

// FuzzRecord decodes arbitrary records. Next and Skip must agree on the sizes of the messages, which add up to the
// size of the record, and a decoded message must not refer to the record.
func FuzzRecord(f *testing.F) {
	one := append([]byte{14, 0b0100, 14}, make([]byte, 16+8)...)
	one[0] = byte(len(one))
	one = append(one, '1')
	for _, record := range [][]byte{
		{},
		one, bytes.Repeat(one, 40), append(bytes.Repeat(one, 3), 0, 1, 'x', 2, '{', '}', 0x80, 0),
		append(bytes.Repeat(one, 17), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	} {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		input := bytes.Clone(record)
		next, skip := NewRecordDecoder("alice", "bob", 1000), NewRecordDecoder("alice", "bob", 1000)
		next.Reset(input, nil)
		skip.Reset(record, nil)
		var messages []*Message
		var texts [][]byte
		total := 0
		for next.More() {
			m, err := next.Next()
			skipErr := skip.Skip()
			if errors.Is(err, ErrRecord) != errors.Is(skipErr, ErrRecord) || next.Size() != skip.Size() {
				t.Fatalf("Next: %v, %d bytes; Skip: %v, %d bytes", err, next.Size(), skipErr, skip.Size())
			}
			if errors.Is(err, ErrRecord) {
				total = len(record)
				break
			}
			if total += next.Size(); next.Size() == 0 {
				t.Fatal("a message of no bytes")
			}
			if (m == nil) != (err != nil) || err != nil && !errors.Is(err, ErrMalformed) {
				t.Fatalf("%+v, %v", m, err)
			}
			if m != nil {
				checkWritable(t, m)
				text, _ := m.AppendJSON(nil)
				messages, texts = append(messages, m), append(texts, text)
			}
		}
		if _, err := next.Next(); err != io.EOF || total != len(record) {
			t.Fatalf("at the end: %v, %d of %d bytes", err, total, len(record))
		}
		clear(input) // reveals references to input
		for i, m := range messages {
			if text, err := m.AppendJSON(nil); err != nil || !bytes.Equal(text, texts[i]) {
				t.Fatalf("message %d changed from %s to %s, %v", i, texts[i], text, err)
			}
		}
	})
}
