package wire

import (
	"reflect"
	"testing"
)

// ParsePing decodes every payload as ParsePayload does.
func TestParsePingMatchesParsePayload(t *testing.T) {
	for _, payload := range []string{
		`{"sentAt":1773234560000}`, `{"sentAt":1}`, `{"sentAt":999999999999999999}`, `{"sentAt":9223372036854775807}`,
		`{"sentAt":9223372036854775808}`, `{"sentAt":0}`, `{"sentAt":-5}`, `{"sentAt":1.5}`, `{"sentAt":1e3}`,
		`{"sentAt":"1"}`, `{"sentAt":null}`, `{"sentAt": 7}`, `{"sentAt":7 }`, `{ "sentAt":7}`, `{"SentAt":7}`,
		`{"sentAt":7,"confirm":["a"]}`, `{"confirm":["a","b"],"sentAt":8}`, `{"sentAt":7,"sentAt":8}`, `{"x":1}`,
		`{}`, `null`, ``, `[]`, `7`, `"x"`,
	} {
		m := &Message{Type: MsgPing, Payload: []byte(payload)}
		var want ConfirmPing
		wantErr := m.ParsePayload(&want)
		got, err := m.ParsePing()
		if !reflect.DeepEqual(got, want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %+v, %v; want %+v, %v", payload, got, err, want, wantErr)
		}
	}
}

func TestParsePingOfNodesDoesNotAllocate(t *testing.T) {
	m := &Message{Type: MsgPing, Payload: []byte(`{"sentAt":1773234560000}`)}
	if n := testing.AllocsPerRun(100, func() { _, _ = m.ParsePing() }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
