package blackbox

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
)

// recordAttack is a relay that changes one record, the attacked one, and passes the others on.
type recordAttack struct {
	name string
	// change returns the messages that replace a record. step counts from 0, the attacked record.
	change func(step int, record []byte) []wireMessage
	// opens are the messages that arrive of three, "0", "1" and "2", each in a record, of which the first is attacked.
	opens []string
	// reflect sends the attacked record back as well.
	reflect bool
}

// binaries returns binary WebSocket messages.
func binaries(frames ...[]byte) []wireMessage {
	var all []wireMessage
	for _, frame := range frames {
		all = append(all, wireMessage{websocket.BinaryMessage, frame})
	}
	return all
}

// attacks returns the attacks with fresh state.
func attacks() []recordAttack {
	at := func(step int, change func(record []byte) []wireMessage) func(int, []byte) []wireMessage {
		return func(n int, record []byte) []wireMessage {
			if n == step {
				return change(record)
			}
			return binaries(record)
		}
	}
	flipped := func(at func(size int) int) func([]byte) []wireMessage {
		return func(record []byte) []wireMessage { return binaries(flip(record, at(len(record)), 1)) }
	}
	var kept [2][]byte
	none := []string{}
	return []recordAttack{
		{"replay", at(0, func(r []byte) []wireMessage { return binaries(r, r) }), []string{"0"}, false},
		{"replay later", func(step int, r []byte) []wireMessage {
			if step == 0 {
				kept[0] = slices.Clone(r)
			}
			if step == 1 {
				return binaries(r, kept[0])
			}
			return binaries(r)
		}, []string{"0", "1"}, false},
		{"drop", at(0, func([]byte) []wireMessage { return nil }), none, false},
		{"swap", func(step int, r []byte) []wireMessage {
			if step == 0 {
				kept[1] = slices.Clone(r)
				return nil
			}
			if step == 1 {
				return binaries(r, kept[1])
			}
			return binaries(r)
		}, none, false},
		{"flip the type", at(0, flipped(func(int) int { return 0 })), none, false},
		{"flip the text", at(0, flipped(func(size int) int { return size / 2 })), none, false},
		{"flip the tag", at(0, flipped(func(size int) int { return size - 1 })), none, false},
		{"truncate", at(0, func(r []byte) []wireMessage { return binaries(r[:len(r)-1]) }), none, false},
		{"as text", at(0, func(r []byte) []wireMessage { return []wireMessage{{websocket.TextMessage, r}} }), none, false},
		{"reflect", at(0, func(r []byte) []wireMessage { return binaries(r) }), []string{"0"}, true},
	}
}

// attacker is the relay of an attack on one direction. It begins when armed.
type attacker struct {
	recordAttack
	fromDialer bool
	begins     func(record []byte) bool // selects the attacked record; nil: the first
	armed      atomic.Bool
	step       int // of the goroutine that passes the direction
}

func (x *attacker) frames(l *relayLink, fromDialer bool, _ int, record []byte) []wireMessage {
	if fromDialer != x.fromDialer || !x.armed.Load() || x.step == 0 && x.begins != nil && !x.begins(record) {
		return binaries(record)
	}
	if x.reflect && x.step == 0 {
		sender := l.target
		if fromDialer {
			sender = l.dialer
		}
		sender.write(websocket.BinaryMessage, record)
	}
	out := x.change(x.step, record)
	x.step++
	return out
}

// ways runs a test for each of the named attacks, all without names, on each direction.
func ways(t *testing.T, names []string, test func(t *testing.T, x *attacker)) {
	t.Helper()
	t.Parallel()
	for _, fromDialer := range []bool{true, false} {
		for _, attack := range attacks() {
			if names != nil && !slices.Contains(names, attack.name) {
				continue
			}
			way := map[bool]string{true: "of the initiator", false: "of the responder"}[fromDialer]
			t.Run(attack.name+" "+way, func(t *testing.T) {
				t.Parallel()
				test(t, &attacker{recordAttack: attack, fromDialer: fromDialer})
			})
		}
	}
}

// victims returns the sender of the attacked records, the receiver, and the relay's end at the node that must close.
func (x *attacker) victims(s *sessionRelay) (from, to *node, closes *wireEnd) {
	from, to, closes = s.b, s.a, s.link.dialer
	if x.fromDialer {
		from, to, closes = s.a, s.b, s.link.target
	}
	if x.reflect {
		closes = map[bool]*wireEnd{true: s.link.dialer, false: s.link.target}[x.fromDialer]
	}
	return from, to, closes
}

// TestRelayCannotChangeMessageRecords: nothing is delivered twice, altered or out of order; the session ends with 1002;
// the nodes connect again.
func TestRelayCannotChangeMessageRecords(t *testing.T) {
	ways(t, nil, func(t *testing.T, x *attacker) {
		s := relayed(t, nil, func(r *relay) { r.frames = x.frames })
		s.connect.want(t, 0)
		meet(s.b, s.a)
		from, to, closes := x.victims(s)
		sent := &exchange{a: s.a, b: s.b}
		sent.both("before")
		sent.check(t)
		before := to.received(from.ID())
		x.armed.Store(true)
		for _, payload := range []string{"0", "1", "2"} {
			from.run("send", to.ID(), payload) // fails once the session has ended
		}
		if status := closes.status(t); status != websocket.CloseProtocolError {
			t.Errorf("closed with %d, want 1002", status)
		}
		closer, other := to, from
		if x.reflect {
			closer, other = from, to
		}
		closer.Await("peer_down", "peer", other.ID(), "code", 1002.0, "remote", false)
		other.Await("peer_down", "peer", closer.ID()) // the relay passes no close frame on
		got := to.received(from.ID())[len(before):]
		if x.reflect { // the sender's end may come after further messages
			got = got[:min(len(got), 1)]
		}
		if !slices.Equal(got, x.opens) {
			t.Errorf("arrived %q, want %q", got, x.opens)
		}
		s.a.ok("connect", s.b.Address())
		to.Await("message", "message.id", from.ok("send", to.ID(), "after"))
	})
}

// TestRelayCannotChangeFirstRecords: the first record of each side is its key confirmation.
func TestRelayCannotChangeFirstRecords(t *testing.T) {
	ways(t, []string{"replay", "drop", "swap", "flip the tag", "truncate", "reflect"}, func(t *testing.T, x *attacker) {
		x.armed.Store(true)
		s := relayed(t, nil, func(r *relay) { r.frames = x.frames })
		from, to, closes := x.victims(s)
		opens := len(x.opens) > 0
		if status := closes.status(t); status != websocket.CloseProtocolError {
			t.Errorf("closed with %d, want 1002", status)
		}
		if up := to.Count("peer_up"); up != 0 && !opens {
			t.Errorf("%d peer_up without the peer's first record", up)
		}
		if s.connect.code == 0 && to == s.a && !opens {
			t.Errorf("connect succeeds without the responder's first record: %s", s.connect.stdout)
		}
		if got := len(to.Messages("chat")) + len(from.Messages("chat")); got != 0 {
			t.Errorf("%d messages arrived", got)
		}
		s.a.ok("connect", s.b.Address())
		to.Await("message", "message.id", from.ok("send", to.ID(), "after"))
	})
}
