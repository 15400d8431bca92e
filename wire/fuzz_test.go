package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// referenceTimestamp is a time that records whether it was present.
type referenceTimestamp struct {
	time.Time
	set bool
}

func (s *referenceTimestamp) UnmarshalJSON(data []byte) error {
	if string(data) != "null" {
		s.set = true
	}
	return s.Time.UnmarshalJSON(data)
}

// referenceDecode implements Decode with encoding/json. sameRules is false if data has a key that encoding/json
// accepts in another case.
func referenceDecode(data []byte) (m *Message, sameRules bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || object == nil {
		return nil, true
	}
	for key := range object {
		for _, name := range []string{"id", "type", "from", "to", "ts", "payload", "replyTo"} {
			if key != name && strings.EqualFold(key, name) {
				return nil, false
			}
		}
	}
	var r struct {
		ID      string             `json:"id"`
		Type    MessageType        `json:"type"`
		From    string             `json:"from"`
		To      string             `json:"to"`
		TS      referenceTimestamp `json:"ts"`
		Payload json.RawMessage    `json:"payload"`
		ReplyTo string             `json:"replyTo"`
	}
	if json.Unmarshal(data, &r) != nil || r.ID == "" || len(r.ID) > 64 || r.Type == "" || !r.TS.set {
		return nil, true
	}
	if _, err := r.TS.UTC().MarshalText(); err != nil || referenceDepth(data) > 9_984 {
		return nil, true
	}
	if _, err := r.TS.MarshalText(); err != nil {
		return nil, true
	}
	if r.Payload == nil {
		r.Payload = json.RawMessage("null")
	}
	return &Message{r.ID, r.Type, r.From, r.To, r.TS.Time, r.Payload, r.ReplyTo}, true
}

// referenceDepth returns the nesting of a JSON text, in levels.
func referenceDepth(data []byte) int {
	depth, deepest := 0, 0
	for tokens := json.NewDecoder(bytes.NewReader(data)); ; {
		token, err := tokens.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range frameSeeds(f) {
		f.Add(data)
	}
	const head = `{"id":"a","type":"b","ts":"` + timestamp + `"`
	for _, data := range []string{
		`{}`, `null`, `[1]`, head + `}`, head + `} x`, head + `,"ID":"c"}`, head + `,"id":null,"ts":null}`,
		head + `,"payload":{"a":[1,-0.5e+3,{"b":"\ud83d\ude80\u00e9` + "\xff" + `"}],"c":{},"d":[]}}`,
		head + `,"\u0074o":"\n\"\\\/","replyTo":"r","x":[[[{}]]]}`,
		head + `,"from":1,"from":"f"}`, head + `,"ts":""}`, head + `,"ts":"2026-03-11T1:02:39,5Z"}`,
		head + `,"ts":"2026-03-11T13:02:39+24:00"}`, head + `,"ts":"2026-03-11T13:02:39-23:59"}`,
		head + `,"ts":"0001-01-01T00:00:00Z"}`, head + `,"ts":"0000-01-01T00:00:00+00:01"}`,
		head + `,"ts":"9999-12-31T23:59:59-00:01"}`,
		head + `,"payload":` + strings.Repeat("[", 9983) + strings.Repeat("]", 9983) + `}`,
		head + `,"payload":` + strings.Repeat("[", 9984) + strings.Repeat("]", 9984) + `}`,
		head + `,"payload":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, sameRules := referenceDecode(data)
		input := bytes.Clone(data)
		got, err := Decode(input)
		clear(input) // reveals references to input
		if (got == nil) != (err != nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if sameRules && (got == nil) != (want == nil) {
			t.Fatalf("%q:\ngot  %+v, %v\nwant %+v", data, got, err, want)
		}
		if got == nil {
			if len(err.Error()) > 400 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if sameRules && !sameMessage(got, want) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", data, got, want)
		}
		checkWritable(t, got)
	})
}

func FuzzAppendJSON(f *testing.F) {
	f.Add("id", "type", "from", "to", "", int64(1773234159), int64(123456789), 0, []byte(`{"a":"<&>"}`))
	f.Add("\xff", "\u2028", "\x00\b\f", `"\`, "é🚀", int64(-62167219201), int64(0), 19800,
		[]byte(` [ 1 , "`+"\xff\u2028"+`" ] `))
	f.Add("", "", "", "", "r", int64(253402300800), int64(1), -86400, []byte(`null`))
	f.Fuzz(func(t *testing.T, id, kind, from, to, replyTo string, sec, nsec int64, zone int, payload []byte) {
		var compact bytes.Buffer
		if len(payload) > 4096 || json.Compact(&compact, payload) != nil {
			return
		}
		ts := time.Unix(sec, nsec).In(time.FixedZone("", zone%100_000))
		m := &Message{id, MessageType(kind), from, to, ts, compact.Bytes(), replyTo}
		checkSealed(t, m)
		want, wantErr := MarshalJSON(m)
		got, err := m.AppendJSON([]byte("before"))
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("got %v, encoding/json says %v", err, wantErr)
		}
		got, kept := bytes.CutPrefix(got, []byte("before"))
		if !kept || !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		if err != nil {
			return
		}
		var again Message
		if err := json.Unmarshal(got, &again); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		m.ID, m.Type, m.From = clean(id), MessageType(clean(kind)), clean(from)
		m.To, m.ReplyTo = clean(to), clean(replyTo)
		again.Timestamp, m.Timestamp = again.Timestamp.UTC(), m.Timestamp.Truncate(0).UTC()
		if zone%60 != 0 { // RFC 3339 has no seconds in a zone
			again.Timestamp = m.Timestamp
		}
		if !sameMessage(&again, m) {
			t.Fatalf("%s:\ngot  %+v\nwant %+v", got, again, *m)
		}
	})
}

// FuzzDecodeHandshake requires that each accepted payload can be encoded and decodes to the same values.
func FuzzDecodeHandshake(f *testing.F) {
	f.Add([]byte(`{"identity":` + aliceJSON + `,"challenge":"` + zeros + `","version":"1.0","features":["x"]}`))
	f.Add([]byte(`{"identity":` + aliceJSON + `,"challengeResponse":"\u0041A==","accepted":true}`))
	for _, session := range []string{
		`{"aeads":["aes256gcm","chacha20poly1305"],"key":"` + zeros + `"}`, `null`, `{}`, `[]`,
		`{"aeads":["a",null],"key":"` + zeros + `"}`, `{"aead":"aes256gcm","key":"` + zeros + `","kem":null}`,
		`{"aead":"a","aeads":["a"],"key":"` + zeros + `","kem":"` + encoded(SessionKEMOfferSize) + `"}`,
		`{"aead":"a","aeads":["a"],"key":"` + zeros + `","kem":"` + encoded(SessionKEMAnswerSize) + `"}`,
		`{"aead":"a","aeads":["a"],"key":"` + zeros + `"},"session":{"key":"AA=="}`,
	} {
		f.Add([]byte(`{"identity":` + aliceJSON + `,"accepted":true,` + withSession + `,"session":` + session + `}`))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		hello, err := DecodeHandshake(&Message{Type: MsgHandshake, Payload: payload})
		if err == nil {
			checkHandshake(t, hello)
		} else if !errors.Is(err, ErrMalformed) || len(err.Error()) > 600 {
			t.Fatal(err)
		}
		ack, err := DecodeHandshakeAck(&Message{Type: MsgHandshakeAck, Payload: payload})
		if err == nil {
			checkHandshakeAck(t, ack)
		} else if !errors.Is(err, ErrMalformed) || len(err.Error()) > 600 {
			t.Fatal(err)
		}
	})
}

func checkHandshake(t *testing.T, hello HandshakePayload) {
	if announced := slices.Contains(ReceivedFeatures(hello.Features), "session/1"); announced != (hello.Session != nil) {
		t.Fatalf("features %q, session %+v", hello.Features, hello.Session)
	}
	if s := hello.Session; s != nil &&
		(len(s.AEADs) < 1 || len(s.AEADs) > 8 || len(s.Key) != 32 || len(s.KEM) != 0 && len(s.KEM) != 1184) {
		t.Fatalf("session %+v", s)
	}
	m, err := NewMessage(MsgHandshake, "", "", hello)
	if err != nil {
		return
	}
	again, err := DecodeHandshake(m)
	if err != nil || !reflect.DeepEqual(normal(again.Identity), normal(hello.Identity)) ||
		!bytes.Equal(again.Challenge, hello.Challenge) || !reflect.DeepEqual(again.Session, hello.Session) {
		t.Fatalf("got %+v, %v, want %+v", again, err, hello)
	}
}

func checkHandshakeAck(t *testing.T, ack HandshakeAckPayload) {
	if announced := slices.Contains(ReceivedFeatures(ack.Features), "session/1"); ack.Accepted &&
		announced != (ack.Session != nil) {
		t.Fatalf("features %q, session %+v", ack.Features, ack.Session)
	}
	if s := ack.Session; s != nil &&
		(s.AEAD == "" || len(s.Key) != 32 || len(s.KEM) != 0 && len(s.KEM) != 1088) {
		t.Fatalf("session %+v", s)
	}
	m, err := NewMessage(MsgHandshakeAck, "", "", ack)
	if err != nil {
		return
	}
	again, err := DecodeHandshakeAck(m)
	if err != nil || !reflect.DeepEqual(again.Session, ack.Session) {
		t.Fatalf("got %+v, %v, want %+v", again, err, ack)
	}
}

func normal(id Identity) Identity {
	id.CreatedAt = id.CreatedAt.UTC()
	return id
}
