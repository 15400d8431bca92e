package blackbox

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// rekeyOpens is the number of messages behind an attacked rekey record that arrive.
var rekeyOpens = map[string]int{
	"replay": 0, "replay later": 1, "drop": 0, "swap": 0, "flip the type": 0, "flip the text": 0, "flip the tag": 0,
	"truncate": 0, "as text": 0,
}

// TestRelayCannotChangeRekeyRecords: a relay between a reference peer and a node changes a rekey record of the peer.
// The node ends the session with 1002, and no message under the next key arrives. TestRelayCannotChangeRecords of
// package supervisor does the same with the node's own rekey, after an hour.
func TestRelayCannotChangeRekeyRecords(t *testing.T) {
	ways(t, slices.Collect(maps.Keys(rekeyOpens)), func(t *testing.T, x *attacker) {
		x.begins = func(record []byte) bool { return record[0] == session.TypeRekey }
		n, self := start(t), identity(t, "reference")
		o := refpeer.Options{Identity: self, Session: &refpeer.SessionOptions{}}
		adjust := func(r *relay) { r.frames = x.frames }
		var r *reference
		if x.fromDialer {
			relay := startRelay(t, n.URL(), 1, adjust)
			conn, err := refpeer.Dial(withTimeout(t), "ws://"+relay.addr+"/ws", o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(conn.Close)
			r = &reference{conn, self, n}
			requireAttacked(t, x, r, relay.link().target)
			return
		}
		s := listening(t, o)
		relay := startRelay(t, "ws://"+s.Addr()+"/ws", 1, adjust)
		n.ok("connect", relay.addr)
		requireAttacked(t, x, accept(n, s, self), relay.link().dialer)
	})
}

// requireAttacked rekeys under attack, and requires that the node closes its end of the relay.
func requireAttacked(t *testing.T, x *attacker, r *reference, end *wireEnd) {
	t.Helper()
	n := r.n
	n.Await("message", "message.id", r.say("chat", "before"))
	x.armed.Store(true)
	_ = r.Rekey()
	want := []string{`"before"`}
	for i := range 3 {
		_, _ = r.Send("chat", n.ID(), fmt.Sprint(i)) // fails once the session has ended
		if i < rekeyOpens[x.name] {
			want = append(want, fmt.Sprintf(`"%d"`, i))
		}
	}
	if status := end.status(t); status != websocket.CloseProtocolError {
		t.Errorf("closed with %d, want 1002", status)
	}
	down := n.Await("peer_down", "peer", r.self.ID)
	if down.Num("code") != websocket.CloseProtocolError || down.Fields["remote"] != false {
		t.Errorf("%s, want code 1002, remote false", down.Line)
	}
	if got := n.received(r.self.ID); !slices.Equal(got, want) {
		t.Errorf("arrived %q, want %q", got, want)
	}
	n.AwaitCounter("framesMalformed", 1)
}
