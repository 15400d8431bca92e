package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAppendJSONMatchesEncodingJSON(t *testing.T) {
	tests := map[string]struct {
		m    Message
		want string
	}{
		"zero": {Message{}, `{"id":"","type":"","from":"","to":"","ts":"0001-01-01T00:00:00Z","payload":null}`},
		"full": {
			Message{"i", MsgPong, "f", "t", testTime, json.RawMessage(`{"a":"<&>"}`), "r"},
			`{"id":"i","type":"pong","from":"f","to":"t","ts":"2026-03-11T13:02:39.123456789Z",` +
				`"payload":{"a":"<&>"},"replyTo":"r"}`,
		},
		"zone, whole second": {
			Message{Timestamp: time.Date(2026, 3, 11, 18, 32, 39, 0, time.FixedZone("", -19800))},
			`{"id":"","type":"","from":"","to":"","ts":"2026-03-11T18:32:39-05:30","payload":null}`,
		},
		"escapes": {
			Message{"\"", "\n", "<>&", "\u2028", time.Unix(0, 0).UTC(), json.RawMessage(`[]`), "\xff"},
			`{"id":"\"","type":"\n","from":"<>&","to":"\u2028","ts":"1970-01-01T00:00:00Z","payload":[],"replyTo":"\ufffd"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tt.m.AppendJSON([]byte("before"))
			if err != nil || string(got) != "before"+tt.want {
				t.Errorf("got  %s, %v\nwant before%s", got, err, tt.want)
			}
			checkSealed(t, &tt.m)
			if same, err := MarshalJSON(&tt.m); err != nil || string(same) != tt.want {
				t.Errorf("MarshalJSON writes %s, %v", same, err)
			}
		})
	}
}

// checkSealed compares a sealed body with its definition: the text of AppendJSON, escaped as a whole.
func checkSealed(t *testing.T, m *Message) {
	t.Helper()
	got, err := AppendSealedBody([]byte("before"), m, testTime)
	text, wantErr := m.AppendJSON(nil)
	want := "before"
	if wantErr == nil {
		want = string(appendBody([]byte(want+`{"body":"`), text)) + `","timestamp":1773234159`
	}
	if (err == nil) != (wantErr == nil) || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s, %v", got, err, want, wantErr)
	}
}

func TestAppendJSONWritesEmptyPayloadAsNull(t *testing.T) {
	m := Message{Payload: json.RawMessage{}}
	checkSealed(t, &m)
	if got, err := m.AppendJSON(nil); err != nil || !strings.HasSuffix(string(got), `,"payload":null}`) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAppendJSONRefusesUnwritableTimes(t *testing.T) {
	for name, ts := range map[string]time.Time{
		"year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"year -1":    time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		"zone +24":   testTime.In(time.FixedZone("", 24*3600)),
	} {
		m := Message{ID: "a", Timestamp: ts}
		got, err := m.AppendJSON([]byte("before"))
		if err == nil || string(got) != "before" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		checkSealed(t, &m)
		if _, err := MarshalJSON(&m); err == nil {
			t.Errorf("%s: MarshalJSON takes it", name)
		}
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	m := message256()
	m.From, m.ReplyTo = "\n<é\xff\u2028>", "r"
	dst := make([]byte, 0, 1024)
	got := testing.AllocsPerRun(200, func() {
		if _, err := m.AppendJSON(dst); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
	m = message256()
	got = testing.AllocsPerRun(200, func() {
		if _, err := AppendSealedBody(dst, m, testTime); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("sealed: %v allocations", got)
	}
}
