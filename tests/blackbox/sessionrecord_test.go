package blackbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// recordFault is a way to break a session that was good until then. It returns how many chat messages must arrive.
type recordFault func(r *reference) (delivered int)

var recordFaults = map[string]recordFault{
	"text message": func(r *reference) int {
		_ = r.SendMessage(websocket.TextMessage, r.record("text"))
		return 0
	},
	"SMSG container": func(r *reference) int {
		frame, err := refpeer.Seal(mustJSON(r.n.t, r.envelope("chat", "smsg")), r.Password())
		if err != nil {
			r.n.t.Error(err)
		}
		r.raw(frame)
		return 0
	},
	"empty WebSocket message": func(r *reference) int { r.raw([]byte{}); return 0 },
	"a type byte alone":       func(r *reference) int { r.raw([]byte{1}); return 0 },
	"type 0":                  func(r *reference) int { r.raw(r.SealRecord(0, r.message(0))); return 0 },
	"type 3":                  func(r *reference) int { r.raw(r.SealRecord(3, r.message(0))); return 0 },
	"type 255":                func(r *reference) int { r.raw(r.SealRecord(255, r.message(0))); return 0 },
	"type flipped":            func(r *reference) int { r.raw(flip(r.record(0), 0, 3)); return 0 },
	"ciphertext flipped":      func(r *reference) int { r.raw(flip(r.record(0), 9, 1)); return 0 },
	"tag flipped":             func(r *reference) int { f := r.record(0); r.raw(flip(f, len(f)-1, 128)); return 0 },
	"last byte missing":       func(r *reference) int { f := r.record(0); r.raw(f[:len(f)-1]); return 0 },
	"first half missing":      func(r *reference) int { f := r.record(0); r.raw(f[len(f)/2:]); return 0 },
	"one byte too many":       func(r *reference) int { r.raw(append(r.record(0), 0)); return 0 },
	"replayed":                func(r *reference) int { f := r.record(0); r.raw(f, f); return 1 },
	"replayed later":          func(r *reference) int { f := r.record(0); r.raw(f, r.record(1), f); return 2 },
	"one dropped":             func(r *reference) int { r.record(0); r.raw(r.record(1)); return 0 },
	"two swapped":             func(r *reference) int { a, b := r.record(0), r.record(1); r.raw(b, a); return 0 },
	"reflected":               func(r *reference) int { r.raw(r.Records()[0].Raw); return 0 },
	"messages: none":          func(r *reference) int { r.raw(r.SealRecord(session.TypeMessages, nil)); return 0 },
	"rekey with a byte":       func(r *reference) int { r.raw(r.SealRecord(session.TypeRekey, []byte{0})); return 0 },
	"rekey replayed": func(r *reference) int {
		f := r.SealRecord(session.TypeRekey, nil)
		r.raw(f, f)
		return 0
	},
	"rekey dropped": func(r *reference) int { r.DropRekey(); r.raw(r.record(0)); return 0 },
	"rekey flipped": func(r *reference) int { r.raw(flip(r.SealRecord(session.TypeRekey, nil), 5, 1)); return 0 },
	"old key after a rekey": func(r *reference) int {
		f := r.record(0)
		r.raw(r.SealRecord(session.TypeRekey, nil), f)
		return 0
	},
	"length past the end": func(r *reference) int {
		r.raw(r.SealRecord(session.TypeMessages, append(r.message(0), 2, '{')))
		return 1
	},
	"length of six bytes": func(r *reference) int {
		r.raw(r.SealRecord(session.TypeMessages, append(r.message(0), 0x80, 0x80, 0x80, 0x80, 0x80, 1)))
		return 1
	},
	"length that is not minimal": func(r *reference) int {
		r.raw(r.SealRecord(session.TypeMessages, append(r.message(0), 0x81, 0, '{')))
		return 1
	},
	"length cut": func(r *reference) int {
		r.raw(r.SealRecord(session.TypeMessages, append(r.message(0), 0x80)))
		return 1
	},
}

// flip returns data with a changed byte.
func flip(data []byte, at int, mask byte) []byte {
	data = slices.Clone(data)
	data[at] ^= mask
	return data
}

// TestFaultyRecordsEndTheSession: each closes with 1002 at once, the messages before it are delivered, none after it.
func TestFaultyRecordsEndTheSession(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t)
		for name, fault := range recordFaults {
			r := as.inSession(n, refpeer.Options{})
			n.Await("message", "message.id", r.say("hello", nil))
			before := n.Status().Counters
			delivered := fault(r)
			r.raw(r.record("after the fault"))
			r.requireProtocolEnd()
			if got := n.received(r.self.ID); len(got) != delivered {
				t.Errorf("%s: %q arrived, want %d messages", name, got, delivered)
			}
			after := n.Status().Counters
			for _, counter := range []string{"framesMalformed", "messagesRefused", "messagesDuplicate", "downgradesRefused"} {
				want := 0.0
				if counter == "framesMalformed" {
					want = 1
				}
				if got := after[counter] - before[counter]; got != want {
					t.Errorf("%s: %s grew by %v, want %v", name, counter, got, want)
				}
			}
		}
		if restarts := n.Status().Counters["actorRestarts"]; restarts != 0 {
			t.Errorf("actorRestarts %v, want 0", restarts)
		}
	})
}

// malformedMessages are forms of a message that a receiver skips, made from a good one.
func malformedMessages(r *reference) map[string][]byte {
	good, err := refpeer.EncodeBinary(r.envelope("chat", "good"), r.self.ID, r.n.ID())
	if err != nil {
		r.n.t.Fatal(err)
	}
	with := func(at int, value byte) []byte {
		changed := slices.Clone(good)
		changed[at] = value
		return changed
	}
	text := func(id string) []byte {
		return slices.Concat([]byte{0x10, good[1], byte(len(id))}, []byte(id), good[18:])
	}
	bad := map[string][]byte{
		"empty": {}, "flags alone": good[:1], "cut in the id": good[:10], "cut in the time": good[:20],
		"no payload": good[:26], "half a payload": good[:len(good)-1], "two payloads": append(slices.Clone(good), '1'),
		"from 1": with(0, 1), "from 2": with(0, 2), "to 2": with(0, 8), "bit 6": with(0, 64), "bit 7 alone": with(0, 128),
		"code 15": with(1, 15), "code 255": with(1, 255),
		"id of 0 bytes": text(""), "id of 65 bytes": text(strings.Repeat("i", 65)), "id not UTF-8": text("\xff"),
		"half of JSON": []byte(`{"id":"x"`), "JSON without an id": []byte(`{"type":"chat"}`),
	}
	return bad
}

// TestMalformedMessagesAreSkipped: a record goes on behind one; a hundred in a row end the connection.
func TestMalformedMessagesAreSkipped(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t, "--rate-refill", "0")
		r := as.inSession(n, refpeer.Options{})
		bad := malformedMessages(r)
		plaintext, want := r.message("first"), []string{`"first"`}
		for name, message := range bad {
			plaintext = append(plaintext, refpeer.Frame(message)...)
			plaintext = append(plaintext, r.message(name)...)
			want = append(want, mustJSON(t, name))
		}
		if err := r.SendRecord(session.TypeMessages, plaintext); err != nil {
			t.Fatal(err)
		}
		n.Await("message", "message.id", r.say("end", nil))
		if got := n.received(r.self.ID); !slices.Equal(got, want) {
			t.Errorf("arrived %q, want %q", got, want)
		}
		n.AwaitCounter("framesMalformed", float64(len(bad)))
		row := slices.Repeat(refpeer.Frame([]byte{0xff, 0xff}), 99)
		for _, plaintext := range [][]byte{row, r.message("between"), row} {
			if err := r.SendRecord(session.TypeMessages, plaintext); err != nil {
				t.Fatal(err)
			}
		}
		n.Await("message", "message.id", r.say("end", nil))
		if err := r.SendRecord(session.TypeMessages, slices.Repeat(refpeer.Frame([]byte{0xff, 0xff}), 100)); err != nil {
			t.Fatal(err)
		}
		r.requireProtocolEnd()
	})
}

// TestMessagesOfASessionHaveASizeLimit: a message may fill MaxMessageSize; the record around it is larger.
func TestMessagesOfASessionHaveASizeLimit(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	n := start(t)
	r := responder.inSession(n, refpeer.Options{})
	sized := func(size int) []byte {
		e := r.envelope("large", "")
		form, err := refpeer.EncodeBinary(e, r.self.ID, n.ID())
		if err != nil {
			t.Fatal(err)
		}
		return append(form[:len(form)-1], strings.Repeat("x", size-len(form))+`"`...)
	}
	if err := r.SendRecord(session.TypeMessages, refpeer.Frame(sized(most))); err != nil {
		t.Fatal(err)
	}
	n.Await("message", "peer", r.self.ID, "message.type", "large")
	if err := r.SendRecord(session.TypeMessages, refpeer.Frame(sized(most+1))); err != nil {
		t.Fatal(err)
	}
	n.Await("message", "message.id", r.say("end", nil))
	n.AwaitCounter("framesMalformed", 1)
	_ = r.SendRecord(session.TypeMessages, refpeer.Frame(sized(most+64)))
	if status := r.status(); status != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d, want 1009", status)
	}
	if got := len(n.Messages("large")); got != 1 {
		t.Errorf("%d large messages arrived, want 1", got)
	}
}

// TestNeedlessRekeysAreLimited: four a minute pass, the fifth ends the session.
func TestNeedlessRekeysAreLimited(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t)
		r := as.inSession(n, refpeer.Options{})
		for range 4 {
			if err := r.Rekey(); err != nil {
				t.Fatal(err)
			}
			n.Await("message", "message.id", r.say("hello", nil))
		}
		if err := r.Rekey(); err != nil {
			t.Fatal(err)
		}
		r.requireProtocolEnd()
	})
}
