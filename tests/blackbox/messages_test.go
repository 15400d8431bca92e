package blackbox

import (
	"regexp"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

var uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestSendDelivers(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	tests := map[string]struct {
		stdin   string
		args    []string
		typ     string
		payload string
	}{
		"JSON object":          {args: []string{`{"x":[1,null,"<&>"]}`}, typ: "chat", payload: `{"x":[1,null,"<&>"]}`},
		"JSON number":          {args: []string{`42`}, typ: "chat", payload: `42`},
		"JSON string":          {args: []string{`"quoted"`}, typ: "chat", payload: `"quoted"`},
		"plain text":           {args: []string{`hello there`}, typ: "chat", payload: `"hello there"`},
		"nearly JSON":          {args: []string{`{"x":1`}, typ: "chat", payload: `"{\"x\":1"`},
		"stdin through a dash": {stdin: `text from a pipe`, args: []string{"-"}, typ: "chat", payload: `"text from a pipe"`},
		"stdin without a word": {stdin: `{"from":"a pipe"}`, typ: "chat", payload: `{"from":"a pipe"}`},
		"a type of its own":    {args: []string{"true", "--type", "get_stats"}, typ: "get_stats", payload: `true`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"send", b.ID(), "--output", "json"}, tt.args...)
			r := a.runWith(tt.stdin, args...)
			r.want(t, 0)
			var printed map[string]any
			r.decode(t, &printed)
			id, _ := printed["id"].(string)
			if !uuidV4.MatchString(id) {
				t.Fatalf("printed %s, want an id that is a UUID v4", r.stdout)
			}
			e := b.Await("message", "message.id", id)
			m := e.Message()
			if e.Str("peer") != a.ID() || m.From != a.ID() || m.To != b.ID() || m.Type != tt.typ ||
				string(m.Payload) != tt.payload {
				t.Errorf("arrived as %s\nwant from %s to %s, type %s, payload %s", e.Line, a.ID(), b.ID(), tt.typ, tt.payload)
			}
			if ts, err := time.Parse(time.RFC3339Nano, m.TS); err != nil || time.Since(ts).Abs() > time.Minute {
				t.Errorf("ts %q is not now in RFC 3339 (%v)", m.TS, err)
			}
			if _, there := e.Fields["message"].(map[string]any)["replyTo"]; there {
				t.Errorf("a message that answers nothing has a replyTo: %s", e.Line)
			}
		})
	}
}

func TestSendPrintsTheID(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	id := a.ok("send", b.ID(), "x")
	if !uuidV4.MatchString(id) {
		t.Fatalf("node send printed %q, want the message's id alone", id)
	}
	b.Await("message", "message.id", id)
}

// TestPeerNamesResolve uses every way to name a peer. "twin" is the name of two peers.
func TestPeerNamesResolve(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	dialed(a, refpeer.Options{Identity: identity(t, "twin")}).prove()
	dialed(a, refpeer.Options{Identity: identity(t, "twin")}).prove()
	for what, name := range map[string]string{
		"ID": b.ID(), "prefix of 8": b.ID()[:8], "prefix of 31": b.ID()[:31], "unique name": "beta",
	} {
		id := a.ok("send", name, what)
		if got := b.Await("message", "message.id", id).Message(); got.To != b.ID() {
			t.Errorf("%s: to %q, want %s", what, got.To, b.ID())
		}
	}
	for what, tt := range map[string]struct {
		name string
		code int
	}{
		"prefix of 7":       {b.ID()[:7], 4},
		"nobody's ID":       {"00000000000000000000000000000000", 4},
		"nobody's name":     {"nobody", 4},
		"this node itself":  {a.ID(), 4},
		"name of two peers": {"twin", 2},
	} {
		for _, verb := range []string{"send", "request", "ping", "disconnect"} {
			args := []string{verb, tt.name}
			if verb == "send" || verb == "request" {
				args = append(args, "x")
			}
			r := a.run(args...)
			if r.code != tt.code {
				t.Errorf("%s: node %q exits %d, want %d (%s)", what, args, r.code, tt.code, r.stderr)
				continue
			}
			r.want(t, tt.code)
			r.says(t, tt.name)
		}
	}
}

func TestBroadcastReachesAllPeers(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	r := dialed(a, refpeer.Options{})
	r.prove()
	var sent struct {
		ID     string `json:"id"`
		Sent   int    `json:"sent"`
		Failed []any  `json:"failed"`
	}
	a.json(&sent, "broadcast", `{"to":"all"}`, "--type", "news")
	if sent.Sent != 2 || sent.Failed == nil || len(sent.Failed) != 0 || !uuidV4.MatchString(sent.ID) {
		t.Errorf("broadcast printed %+v, want an id, 2 sent and an empty list of failed", sent)
	}
	atB := b.Await("message", "message.id", sent.ID).Message()
	atR := r.next("news")
	for _, m := range []refpeer.Envelope{atB, atR} {
		if m.ID != sent.ID || m.Type != "news" || m.From != a.ID() || m.To != "" || string(m.Payload) != `{"to":"all"}` {
			t.Errorf("arrived as %+v, want id %s, type news, from %s, no to", m, sent.ID, a.ID())
		}
	}
}

// TestTransportMessagesAreNoEvents sends pings, pongs and a disconnect and requires none of them in the events.
func TestTransportMessagesAreNoEvents(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.ok("ping", b.ID(), "--count", "2", "--interval", "10ms")
	b.ok("ping", a.ID(), "--count", "2", "--interval", "10ms")
	r := dialed(a, refpeer.Options{Pong: true})
	if err := r.Disconnect("done", 1000); err != nil {
		t.Fatal(err)
	}
	down := a.Await("peer_down", "peer", r.self.ID)
	if down.Num("code") != 1000 || down.Str("reason") != "done" || down.Fields["remote"] != true {
		t.Errorf("peer_down %s, want code 1000, reason done, remote true", down.Line)
	}
	last := a.ok("send", b.ID(), "the end")
	b.Await("message", "message.id", last)
	for _, n := range []*node{a, b} {
		for _, e := range n.All() {
			if e.Kind == "message" && e.Message().ID != last {
				t.Errorf("node %s reports a message that no program sent: %s", n.Name(), e.Line)
			}
		}
	}
}
