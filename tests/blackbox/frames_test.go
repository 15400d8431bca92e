package blackbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/Borg/pkg/smsg"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// refusedFrames makes frames that must not open, after the published vectors, each from a good one.
func refusedFrames(t *testing.T, r *reference) map[string][]byte {
	t.Helper()
	seal := func(body, password string) []byte {
		frame, err := refpeer.Seal(body, password)
		if err != nil {
			t.Fatal(err)
		}
		return frame
	}
	body := func(change func(*refpeer.Envelope)) []byte {
		e := r.envelope("chat", "must not arrive")
		change(&e)
		return seal(mustJSON(t, e), r.Password())
	}
	good := body(func(*refpeer.Envelope) {})
	with := func(at int, b ...byte) []byte { return slices.Replace(bytes.Clone(good), at, at+len(b), b...) }
	bomb, err := smsg.EncryptV2(smsg.NewMessage(strings.Repeat("x", 1<<20)), r.Password())
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"empty":                      {},
		"text":                       []byte("hello"),
		"wrong magic":                with(0, 'X'),
		"wrong container version":    with(4, 1),
		"header length past the end": with(5, 0, 0, 0xff, 0),
		"header length of 4 GiB":     with(5, 0xff, 0xff, 0xff, 0xff),
		"header that is no JSON":     with(9, '?'),
		"cut in the nonce":           good[:70],
		"cut by one byte":            good[:len(good)-1],
		"one bit flipped":            with(len(good)-20, good[len(good)-20]^1),
		"another key":                seal(mustJSON(t, r.envelope("chat", 1)), "another password"),
		"body is no message":         seal("hello", r.Password()),
		"body is a JSON array":       seal("[1,2]", r.Password()),
		"body without an id":         body(func(e *refpeer.Envelope) { e.ID = "" }),
		"id of 65 bytes":             body(func(e *refpeer.Envelope) { e.ID = strings.Repeat("i", 65) }),
		"time that is no time":       body(func(e *refpeer.Envelope) { e.TS = "yesterday" }),
		"compressed container, zstd": bomb,
		"header says gzip":           reheader(good, `{"algorithm":"chacha20poly1305","compression":"gzip","version":"1.0"}`),
		"header says format v2":      reheader(good, `{"algorithm":"chacha20poly1305","format":"v2","version":"1.0"}`),
		"header that is an array":    reheader(good, `[]`),
	}
}

// reheader gives a frame another header. The header is not authenticated: the rest still opens.
func reheader(frame []byte, header string) []byte {
	old := int(binary.BigEndian.Uint32(frame[5:9]))
	fresh := binary.BigEndian.AppendUint32(bytes.Clone(frame[:5]), uint32(len(header)))
	return slices.Concat(fresh, []byte(header), frame[9+old:])
}

func TestBadFramesAreCounted(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := dialed(n, refpeer.Options{})
	frames := refusedFrames(t, r)
	for name, frame := range frames {
		if err := r.SendRaw(frame); err != nil {
			n.Fatalf("%s: %v", name, err)
		}
	}
	// Messages are handled in order: after the last one, all have been judged.
	n.Await("message", "message.id", r.say("end", nil))
	if got := n.Status().Counters["framesMalformed"]; got != float64(len(frames)) {
		t.Errorf("framesMalformed is %v, want %d", got, len(frames))
	}
	if got := n.Messages("chat"); len(got) != 0 {
		t.Errorf("%d of them arrived: %+v", len(got), got)
	}
	r.requireOpen()
}

// TestFramesOfOtherEncodersAreAccepted: deployed senders may add fields and write others differently than the node.
func TestFramesOfOtherEncodersAreAccepted(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := dialed(n, refpeer.Options{})
	send := func(id string, change func(map[string]any, *smsg.Message)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(mustJSON(t, r.envelope("chat", "hello"))), &m); err != nil {
			t.Fatal(err)
		}
		m["id"] = id
		msg := smsg.NewMessage("")
		change(m, msg)
		msg.Body = mustJSON(t, m)
		frame, err := smsg.EncryptWithHint(msg, r.Password(), "a header key that nobody needs")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SendRaw(frame); err != nil {
			n.Fatalf("reference peer cannot send: %v", err)
		}
	}
	ids := []string{
		"no UUID / é", strings.Repeat("i", 64), "unknown keys", "another time zone", "container fields",
		"relayed",
	}
	changes := []func(map[string]any, *smsg.Message){
		func(map[string]any, *smsg.Message) {},
		func(map[string]any, *smsg.Message) {},
		func(m map[string]any, _ *smsg.Message) { m["colour"], m["id2"] = "blue", []int{1} },
		func(m map[string]any, _ *smsg.Message) {
			m["ts"] = time.Now().In(time.FixedZone("", 19800)).Format(time.RFC3339Nano)
		},
		func(_ map[string]any, msg *smsg.Message) {
			msg.WithSubject("s").WithFrom("f").SetMeta("k", "v").AddAttachment("a.txt", "text", "text/plain")
		},
		func(m map[string]any, _ *smsg.Message) { m["from"] = strings.Repeat("0", 32) },
	}
	for i, id := range ids {
		send(id, changes[i])
	}
	n.Await("message", "message.id", r.say("end", nil))
	got := n.Messages("chat")
	if len(got) != len(ids) {
		n.Fatalf("%d of %d arrived: %+v", len(got), len(ids), got)
	}
	for i, m := range got {
		if m.ID != ids[i] || string(m.Payload) != `"hello"` {
			t.Errorf("%q arrived as %+v", ids[i], m)
		}
	}
	if e := n.Await("message", "message.id", "relayed"); e.Str("peer") != r.self.ID {
		t.Errorf("a relayed message is reported as %s, want the peer %s that delivered it", e.Line, r.self.ID)
	}
}

func TestDuplicatesAndStaleMessagesAreDropped(t *testing.T) {
	t.Parallel()
	n := start(t, "--max-clock-skew", "1m")
	r := dialed(n, refpeer.Options{})
	once := r.envelope("chat", "once")
	for range 3 {
		r.sendEnvelope(once)
	}
	for _, off := range []time.Duration{-70 * time.Second, 70 * time.Second, -24 * time.Hour} {
		stale := r.envelope("chat", "stale")
		stale.TS = refpeer.Stamp(time.Now().Add(off))
		r.sendEnvelope(stale)
	}
	fast := r.envelope("chat", "a clock that is a little fast")
	fast.TS = refpeer.Stamp(time.Now().Add(50 * time.Second))
	r.sendEnvelope(fast)
	reflected := r.envelope("chat", "reflected")
	reflected.From = n.ID()
	r.sendEnvelope(reflected)

	n.Await("message", "message.id", r.say("end", nil))
	got := n.Messages("chat")
	if len(got) != 2 || got[0].ID != once.ID || got[1].ID != fast.ID {
		t.Errorf("arrived: %+v\nwant %s and %s", got, once.ID, fast.ID)
	}
	c := n.Status().Counters
	if c["messagesDuplicate"] != 2 || c["messagesStale"] != 3 {
		t.Errorf("messagesDuplicate %v, messagesStale %v; want 2 and 3", c["messagesDuplicate"], c["messagesStale"])
	}
	r.requireOpen()
}
