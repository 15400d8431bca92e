package wire

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestRenewReusesTheMessage(t *testing.T) {
	first, err := NewMessage("chat", "from", "to", "a payload that the next ones fit into")
	if err != nil {
		t.Fatal(err)
	}
	m := *first
	m.ReplyTo, m.Timestamp = "r", time.Time{}
	seen := map[string]bool{m.ID: true}
	for _, c := range []struct {
		payload any
		want    string
	}{
		{"short", `"short"`},
		{nil, "null"},
		{PingPayload{7}, `{"sentAt":7}`},
		{json.RawMessage(` [1, "<&>"] `), `[1,"<&>"]`},
		{json.RawMessage(`[1,2]`), `[1,2]`},
		{"as long\nas \"before\" or nearly", `"as long\nas \"before\" or nearly"`},
	} {
		before, place := time.Now(), &m.Payload[0]
		if err := m.Renew(c.payload); err != nil {
			t.Fatal(err)
		}
		if string(m.Payload) != c.want || &m.Payload[0] != place {
			t.Errorf("payload %s, want %s in the same place", m.Payload, c.want)
		}
		if id, err := uuid.Parse(m.ID); err != nil || id.Version() != 4 || seen[m.ID] {
			t.Errorf("id %q: %v, seen before: %v", m.ID, err, seen[m.ID])
		}
		seen[m.ID] = true
		if m.Timestamp.Before(before) || m.Timestamp.After(time.Now()) || m.Timestamp.Location() != time.UTC {
			t.Errorf("ts %v", m.Timestamp)
		}
		if m.Type != first.Type || m.From != first.From || m.To != first.To || m.ReplyTo != "" {
			t.Errorf("%+v is of another kind than %+v", m, first)
		}
	}
	long := strings.Repeat("x", 1000)
	if err := m.Renew(long); err != nil || string(m.Payload) != `"`+long+`"` {
		t.Errorf("a longer payload: %v", err)
	}
}

// TestRenewAcceptsItsOwnPayload passes payloads that overlap the previous payload.
func TestRenewAcceptsItsOwnPayload(t *testing.T) {
	m := &Message{Type: "chat", Payload: json.RawMessage(`[{"a":1},"b"]`)}
	if err := m.Renew(m.Payload); err != nil || string(m.Payload) != `[{"a":1},"b"]` {
		t.Errorf("all of it: %s, %v", m.Payload, err)
	}
	if err := m.Renew(m.Payload[1:8]); err != nil || string(m.Payload) != `{"a":1}` {
		t.Errorf("a part of it: %s, %v", m.Payload, err)
	}
	m.Payload = json.RawMessage(`[ 1 ]`)
	err := m.Renew(map[string]any{"again": m.Payload, "twice": m.Payload})
	if err != nil || string(m.Payload) != `{"again":[1],"twice":[1]}` {
		t.Errorf("inside another: %s, %v", m.Payload, err)
	}
}

func TestRenewRefusesInvalidPayloads(t *testing.T) {
	m, err := NewMessage("chat", "from", "to", "before")
	if err != nil {
		t.Fatal(err)
	}
	m.ReplyTo = "r"
	was := *m
	for name, payload := range map[string]any{"function": func() {}, "raw": json.RawMessage("{"), "number": math.NaN()} {
		if err := m.Renew(payload); err == nil || !strings.Contains(err.Error(), `payload of new message "chat"`) {
			t.Errorf("%s: %v", name, err)
		}
		if !sameMessage(m, &was) || string(m.Payload) != `"before"` {
			t.Errorf("%s: changed to %+v", name, m)
		}
	}
}

// TestRenewAllocatesTheIDOnly allows one allocation per call.
func TestRenewAllocatesTheIDOnly(t *testing.T) {
	var payload any = strings.Repeat("x", 256)
	m, err := NewMessage("chat", "from", "to", payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(200, func() { _ = m.Renew(payload) }); got > 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}
