package wire

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestNewMessageEncodesPayloads(t *testing.T) {
	tests := map[string]struct {
		payload any
		want    string
	}{
		"nil":         {nil, `null`},
		"struct":      {PingPayload{7}, `{"sentAt":7}`},
		"HTML":        {map[string]string{"t": "<&>"}, `{"t":"<&>"}`},
		"raw":         {json.RawMessage(" {\n\"a\" : [ 1 ] , \"b\":\"<x y>\"} "), `{"a":[1],"b":"<x y>"}`},
		"nil raw":     {json.RawMessage(nil), `null`},
		"nil pointer": {(*PingPayload)(nil), `null`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := time.Now()
			m, err := NewMessage(MsgChat, "from", "to", tt.payload)
			if err != nil {
				t.Fatal(err)
			}
			if id, err := uuid.Parse(m.ID); err != nil || id.Version() != 4 || id.String() != m.ID {
				t.Errorf("id %q: %v", m.ID, err)
			}
			if m.Timestamp.Before(before) || m.Timestamp.After(time.Now()) || m.Timestamp.Location() != time.UTC {
				t.Errorf("ts %v", m.Timestamp)
			}
			if string(m.Payload) != tt.want {
				t.Errorf("payload %s, want %s", m.Payload, tt.want)
			}
			if m.Type != MsgChat || m.From != "from" || m.To != "to" || m.ReplyTo != "" {
				t.Errorf("got %+v", m)
			}
			// Decode must accept the message.
			data, err := m.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Decode(data); err != nil || !sameMessage(again, m) {
				t.Errorf("decoded %+v, %v", again, err)
			}
		})
	}
}

func TestNewMessageRefusesInvalidPayloads(t *testing.T) {
	for name, payload := range map[string]any{
		"channel":      make(chan int),
		"NaN":          math.NaN(),
		"raw, no JSON": json.RawMessage(`{"a":`),
		"raw, two":     json.RawMessage(`1 2`),
		"raw, empty":   json.RawMessage{},
	} {
		if m, err := NewMessage(MsgChat, "f", "t", payload); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m, err := NewMessage("", "f", "t", nil); err == nil {
		t.Errorf("empty type: %+v", m)
	}
}

// TestNewMessageAllocatesThreeTimes allows the message, its ID and its payload.
func TestNewMessageAllocatesThreeTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		payload any
		want    float64
	}{
		"text": {strings.Repeat("x", 300), 3},
		"JSON": {json.RawMessage(`{"a":[1,"b c"]}`), 3},
	} {
		got := testing.AllocsPerRun(200, func() {
			if _, err := NewMessage(MsgChat, "from", "to", tt.payload); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.want {
			t.Errorf("%s: %v allocations, want %v at most", name, got, tt.want)
		}
	}
}

func TestReplyAnswersTheSender(t *testing.T) {
	m := &Message{ID: "asked", Type: MsgPing, From: "them", To: "us"}
	reply, err := m.Reply(MsgPong, PongPayload{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if reply.From != "us" || reply.To != "them" || reply.ReplyTo != "asked" || reply.Type != MsgPong ||
		string(reply.Payload) != `{"sentAt":1,"receivedAt":2}` || reply.ID == "asked" || reply.ID == "" {
		t.Errorf("got %+v", reply)
	}
	if reply, err := m.Reply(MsgPong, math.Inf(1)); err == nil || reply != nil {
		t.Errorf("infinity: %+v, %v", reply, err)
	}
}

func TestParsePayloadFollowsEncodingJSON(t *testing.T) {
	for payload, want := range map[string]PongPayload{
		`{"sentAt":1,"receivedAt":2}`: {1, 2},
		`{"sentAt":-5,"new":[{}]}`:    {-5, 9},
		`null`:                        {9, 9},
		``:                            {9, 9},
	} {
		m := Message{Type: MsgPong, Payload: json.RawMessage(payload)}
		got := PongPayload{9, 9}
		if err := m.ParsePayload(&got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", payload, got, err)
		}
	}
}

func TestParsePayloadQuotesNoLongInput(t *testing.T) {
	endless := strings.Repeat("9", 5000)
	for _, tt := range []struct {
		payload string
		into    any
		why     string
	}{
		{`{"sentAt":"x"}`, new(PingPayload), `string instead of int64 in field "sentAt"`},
		{`{"sentAt":` + endless + `}`, new(PingPayload), `number instead of int64 in field "sentAt"`},
		{`[]`, new(PingPayload), `array instead of wire.PingPayload`},
		{`{"sentAt":1`, new(PingPayload), `invalid JSON: unexpected end of JSON input at byte 11`},
		{`"` + endless + `"`, new(time.Time), `"parsing time \"` + strings.Repeat("9", 50) + `"...`},
		{`"YQ==\n"`, new(Base64), `newline in base64`},
	} {
		m := Message{Type: "own", Payload: json.RawMessage(tt.payload)}
		err := m.ParsePayload(tt.into)
		if !errors.Is(err, ErrMalformed) {
			t.Fatalf("%.80s: %v", tt.payload, err)
		}
		if !strings.HasSuffix(err.Error(), ": "+tt.why) || !strings.Contains(err.Error(), "payload: ") {
			t.Errorf("%.80s:\ngot  %s\nwant ... %s", tt.payload, err, tt.why)
		}
	}
	// Misuse by the caller is not an ErrMalformed.
	m := Message{Payload: json.RawMessage(`{}`)}
	if err := m.ParsePayload(PingPayload{}); err == nil || errors.Is(err, ErrMalformed) {
		t.Errorf("no pointer: %v", err)
	}
}

func TestNewErrorMessageNamesTheFailedMessage(t *testing.T) {
	m, err := NewErrorMessage("a", "b", ErrCodeNotFound, "no such job", "id-7")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"code":1003,"message":"no such job"}`; m.Type != MsgError || m.From != "a" || m.To != "b" ||
		m.ReplyTo != "id-7" || string(m.Payload) != want {
		t.Errorf("got %+v with payload %s, want %s", m, m.Payload, want)
	}
}
