package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// checkWritable requires that both encoders write m and that Decode accepts the results, also inside an event line.
func checkWritable(t *testing.T, m *Message) {
	t.Helper()
	out, err := m.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Decode(out); err != nil || !sameMessage(again, m) {
		t.Fatalf("%.400s:\ngot  %+v, %v\nwant %+v", out, again, err, m)
	}
	line, err := json.Marshal(map[string]any{"event": "message", "message": m})
	if err != nil {
		t.Fatal(err)
	}
	var event struct{ Message json.RawMessage }
	if err := json.Unmarshal(line, &event); err != nil {
		t.Fatalf("event line: %v", err)
	}
	again, err := Decode(event.Message)
	if err != nil || again.ID != m.ID || again.From != m.From || !again.Timestamp.Equal(m.Timestamp) {
		t.Fatalf("from the event line: %+v, %v", again, err)
	}
	// A received zero time is as old as any stale one. In a message of our own it means that the time was left out.
	if err := again.Validate(); (err != nil) != again.Timestamp.IsZero() {
		t.Fatalf("sending on a message received with time %v: %v", again.Timestamp, err)
	}
}

func TestDecodeRefusesUnwritableTimes(t *testing.T) {
	for ts, accepted := range map[string]bool{
		"2026-03-11T13:02:39+23:59":      true,
		"2026-03-11T13:02:39-23:59":      true,
		"0000-01-01T00:00:00Z":           true,
		"9999-12-31T23:59:59.999999999Z": true,
		"2026-03-11T13:02:39+24:00":      false,
		"2026-03-11T13:02:39-24:00":      false,
		"2026-03-11T13:02:39+24:59":      false,
		"0000-01-01T00:00:00+00:01":      false, // the year -1 in UTC
		"9999-12-31T23:59:59-00:01":      false, // the year 10000 in UTC
	} {
		data := `{"id":"a","type":"b","ts":"` + ts + `"}`
		m, err := Decode([]byte(data))
		if accepted != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", ts, err)
		}
		if err == nil {
			checkWritable(t, m)
		}
	}
}

func TestDecodeAcceptsDepthThatFitsEventLines(t *testing.T) {
	const depth = maxPayloadDepth
	data := fmt.Sprintf(`{"id":"a","type":"b","ts":%q,"payload":%s%s}`,
		timestamp, strings.Repeat("[", depth), strings.Repeat("]", depth))
	m, err := Decode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	checkWritable(t, m)
}

func TestNewMessageRefusesTooDeepPayloads(t *testing.T) {
	deep := json.RawMessage(strings.Repeat("[", maxPayloadDepth+1) + strings.Repeat("]", maxPayloadDepth+1))
	if _, err := NewMessage("b", "f", "t", deep); !errors.Is(err, ErrInvalid) {
		t.Errorf("a payload one level too deep: %v", err)
	}
	if m, err := NewMessage("b", "f", "t", deep[1:len(deep)-1]); err != nil || m.Validate() != nil {
		t.Errorf("a payload at the limit: %v", err)
	}
	m, err := NewMessage("b", "f", "t", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Renew(deep); !errors.Is(err, ErrInvalid) || string(m.Payload) != "1" {
		t.Errorf("renewed with a payload one level too deep: %v, payload %.20s", err, m.Payload)
	}
}

// validateCases are changes to a valid message and the expected part of the error, empty if the message stays valid.
var validateCases = map[string]struct {
	change func(*Message)
	want   string
}{
	"as made":        {func(*Message) {}, ""},
	"id of 64 bytes": {func(m *Message) { m.ID = strings.Repeat("i", 64) }, ""},
	"no from":        {func(m *Message) { m.From = "" }, ""},
	"no payload":     {func(m *Message) { m.Payload = nil }, ""},
	"spaces":         {func(m *Message) { m.Payload = json.RawMessage(" { } \n") }, ""},
	// receivers keep the bytes
	"not UTF-8 inside": {
		func(m *Message) { m.Payload = json.RawMessage("\"\xff\"") },
		"",
	},
	"far zone": {func(m *Message) { m.Timestamp = m.Timestamp.In(time.FixedZone("", 23*3600)) }, ""},
	"empty id": {func(m *Message) { m.ID = "" }, "the id is empty"},
	"id of 65 bytes": {
		func(m *Message) { m.ID = strings.Repeat("i", 65) },
		"the id has 65 bytes: use at most 64",
	},
	"empty type":    {func(m *Message) { m.Type = "" }, "the type is empty"},
	"handshake":     {func(m *Message) { m.Type = MsgHandshake }, "belongs to the handshake"},
	"handshake_ack": {func(m *Message) { m.Type = MsgHandshakeAck }, "belongs to the handshake"},
	"no time":       {func(m *Message) { m.Timestamp = time.Time{} }, "the timestamp is missing"},
	"year 10000": {
		func(m *Message) { m.Timestamp = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"RFC 3339",
	},
	"year -1": {func(m *Message) { m.Timestamp = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }, "RFC 3339"},
	"zone of a day": {
		func(m *Message) { m.Timestamp = m.Timestamp.In(time.FixedZone("", 24*3600)) },
		"RFC 3339",
	},
	"names in other letters": {
		func(m *Message) { m.ID, m.From, m.ReplyTo = "z\u00fcrich", "\u4e2d\u6587", "na\u00efve" },
		"",
	},
	"id not UTF-8":      {func(m *Message) { m.ID = "\xff" }, "is not UTF-8"},
	"type not UTF-8":    {func(m *Message) { m.Type = "a\xff" }, "is not UTF-8"},
	"from not UTF-8":    {func(m *Message) { m.From = "a\xff" }, "is not UTF-8"},
	"to not UTF-8":      {func(m *Message) { m.To = "a\xff" }, "is not UTF-8"},
	"replyTo not UTF-8": {func(m *Message) { m.ReplyTo = "a\xff" }, "is not UTF-8"},
	"payload no JSON": {
		func(m *Message) { m.Payload = json.RawMessage(`{"a":}`) },
		"not JSON that receivers accept",
	},
	"payload of spaces": {func(m *Message) { m.Payload = json.RawMessage(" ") }, "not JSON that receivers accept"},
	"payload goes on": {
		func(m *Message) { m.Payload = json.RawMessage(`1}`) },
		"continues after its JSON value at byte 1",
	},
	"payload too deep": {
		func(m *Message) { m.Payload = json.RawMessage(strings.Repeat("[", 9984) + strings.Repeat("]", 9984)) },
		"nested too deeply",
	},
	"payload adds a key": {func(m *Message) { m.Payload = json.RawMessage(`1,"id":"x"`) }, "continues"},
}

func TestValidateAgreesWithReceivers(t *testing.T) {
	for name, tt := range validateCases {
		t.Run(name, func(t *testing.T) {
			m, err := NewMessage("chat", "f", "t", "hello")
			if err != nil {
				t.Fatal(err)
			}
			tt.change(m)
			err = m.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want)):
				t.Fatalf("got %v, want %q", err, tt.want)
			case tt.want == "":
				data, err := m.AppendJSON(nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Decode(data); err != nil {
					t.Errorf("valid, but refused by a receiver: %v", err)
				}
			}
		})
	}
	if err := (*Message)(nil).Validate(); !errors.Is(err, ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
}

func TestReceivedFeaturesKeepsValidEntries(t *testing.T) {
	many := strings.Split(strings.Repeat("f ", 40), " ")
	for name, tt := range map[string]struct{ features, want []string }{
		"none": {nil, nil},
		"known": {
			[]string{FeatureSingleConnection, "agent/go-p2p 1.2"},
			[]string{FeatureSingleConnection, "agent/go-p2p 1.2"},
		},
		"64 bytes":      {[]string{strings.Repeat("a", 64)}, []string{strings.Repeat("a", 64)}},
		"odd entries":   {[]string{"", "é", "a\n", "\x1b[31m", strings.Repeat("a", 65), "ok"}, []string{"ok"}},
		"more than 32":  {many, many[:32]},
		"after the cut": {append(many[:32:32], FeatureSingleConnection), many[:32]},
	} {
		if got := ReceivedFeatures(tt.features); strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
