package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// The bytes of the fields that most binary messages of the tests share.
const (
	testUUID  = "6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01"
	uuidForm  = "\x6f\x0c\x0f\x0e\x3b\x0a\x4a\x55\x9f\x0e\x0c\x1b\x7f\x9f\x2a\x01"
	otherUUID = "00000000-0000-0000-0000-0000000000ff"
	otherForm = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff"
	timeForm  = "\x18\x9b\xcb\x12\x9e\x24\x63\x15" // of binaryTime0
)

// binaryTime0 is 1773234159123456789 ns after 1970.
var binaryTime0 = time.Date(2026, 3, 11, 13, 2, 39, 123456789, time.UTC)

// binaryCase is a message from alice to bob and its binary form without the length before it.
type binaryCase struct {
	m    Message
	form string
}

// binaryCases has each flag alone, and all of them.
func binaryCases() map[string]binaryCase {
	m := func(change func(*Message)) Message {
		m := Message{
			ID: testUUID, Type: MsgChat, From: "alice", To: "bob",
			Timestamp: binaryTime0, Payload: json.RawMessage(`"hi"`),
		}
		change(&m)
		return m
	}
	long := strings.Repeat("é", 512)
	return map[string]binaryCase{
		"no flag": {m(func(*Message) {}), "\x00\x0e" + uuidForm + timeForm + `"hi"`},
		"from is text": {
			m(func(m *Message) { m.From = "carol" }),
			"\x03\x0e" + uuidForm + "\x05carol" + timeForm + `"hi"`,
		},
		"to is empty": {m(func(m *Message) { m.To = "" }), "\x04\x0e" + uuidForm + timeForm + `"hi"`},
		"to is text": {
			m(func(m *Message) { m.To = "carol" }),
			"\x0c\x0e" + uuidForm + "\x05carol" + timeForm + `"hi"`,
		},
		"to the sender": {
			m(func(m *Message) { m.To = "alice" }),
			"\x0c\x0e" + uuidForm + "\x05alice" + timeForm + `"hi"`,
		},
		"from the receiver": {
			m(func(m *Message) { m.From = "bob" }),
			"\x03\x0e" + uuidForm + "\x03bob" + timeForm + `"hi"`,
		},
		"id is text": {m(func(m *Message) { m.ID = "a" }), "\x10\x0e\x01a" + timeForm + `"hi"`},
		"id in upper case": {
			m(func(m *Message) { m.ID = "A" + testUUID[1:] }),
			"\x10\x0e\x24A" + testUUID[1:] + timeForm + `"hi"`,
		},
		"id of 64 bytes": {
			m(func(m *Message) { m.ID = long[:64] }),
			"\x10\x0e\x40" + long[:64] + timeForm + `"hi"`,
		},
		"replyTo": {
			m(func(m *Message) { m.ReplyTo = otherUUID }),
			"\x20\x0e" + uuidForm + timeForm + otherForm + `"hi"`,
		},
		"replyTo is text": {
			m(func(m *Message) { m.ReplyTo = "r" }),
			"\xa0\x0e" + uuidForm + timeForm + "\x01r" + `"hi"`,
		},
		"type is text": {
			m(func(m *Message) { m.Type = "own" }),
			"\x00\x00" + uuidForm + "\x03own" + timeForm + `"hi"`,
		},
		"type of 1024 bytes": {
			m(func(m *Message) { m.Type = MessageType(long) }),
			"\x00\x00" + uuidForm + "\x80\x08" + long + timeForm + `"hi"`,
		},
		"from of 128 bytes": {
			m(func(m *Message) { m.From = long[:128] }),
			"\x03\x0e" + uuidForm + "\x80\x01" + long[:128] + timeForm + `"hi"`,
		},
		"all texts": {
			Message{"i", "t", "f", "d", binaryTime0, json.RawMessage(`{}`), "r"},
			"\xbf\x00\x01i\x01t\x01f\x01d" + timeForm + "\x01r{}",
		},
		"epoch": {
			m(func(m *Message) { m.Timestamp = time.Unix(0, 0).UTC() }),
			"\x00\x0e" + uuidForm + "\x00\x00\x00\x00\x00\x00\x00\x00" + `"hi"`,
		},
		"before it": {
			m(func(m *Message) { m.Timestamp = time.Unix(0, -1).UTC() }),
			"\x00\x0e" + uuidForm + "\xff\xff\xff\xff\xff\xff\xff\xff" + `"hi"`,
		},
		"no payload": {m(func(m *Message) { m.Payload = nil }), "\x00\x0e" + uuidForm + timeForm + "null"},
		"space around the payload": {
			m(func(m *Message) { m.Payload = json.RawMessage("\t\r\n [1, 2] \r\n\t") }),
			"\x00\x0e" + uuidForm + timeForm + "[1, 2]",
		},
		"payload is not UTF-8": {
			m(func(m *Message) { m.Payload = json.RawMessage("\"a\xff\"") }),
			"\x00\x0e" + uuidForm + timeForm + "\"a\ufffd\"",
		},
	}
}

// withLength returns a form with its length before it, as in a record.
func withLength(form string) []byte { return append(appendLEB128(nil, len(form)), form...) }

func TestBinaryFormMatchesTheWire(t *testing.T) {
	for name, tt := range binaryCases() {
		checkForm(t, name, tt)
	}
	for code, kind := range map[byte]string{
		1: "ping", 2: "pong", 3: "disconnect", 4: "error", 5: "get_stats", 6: "stats", 7: "start_miner", 8: "stop_miner",
		9: "miner_ack", 10: "deploy", 11: "deploy_ack", 12: "get_logs", 13: "logs", 14: "chat",
	} {
		checkForm(t, kind, binaryCase{
			Message{testUUID, MessageType(kind), "alice", "bob", binaryTime0, null, ""},
			"\x00" + string(code) + uuidForm + timeForm + "null",
		})
	}
}

func checkForm(t *testing.T, name string, tt binaryCase) {
	t.Helper()
	want := withLength(tt.form)
	got, err := AppendMessage([]byte("before"), &tt.m, "alice", "bob")
	if err != nil || string(got) != "before"+string(want) {
		t.Errorf("%s:\ngot  %q, %v\nwant %q", name, got, err, "before"+string(want))
	}
	m, err := decodeOne(want)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	// The payload arrives as in a sealed body.
	sealed, err := AppendSealedBody(nil, &tt.m, testTime)
	if err != nil {
		t.Fatal(err)
	}
	same, _, err := DecodeSealedBody(append(sealed, '}'), nil)
	if err != nil || !sameMessage(m, same) {
		t.Errorf("%s:\ngot  %+v\nwant %+v, %v", name, m, same, err)
	}
	if m.Timestamp.Location() != time.UTC {
		t.Errorf("%s: ts in %v", name, m.Timestamp.Location())
	}
}

// TestBroadcastNamesNoReceiver encodes for several peers: only an empty to is left out.
func TestBroadcastNamesNoReceiver(t *testing.T) {
	for to, want := range map[string]string{
		"":    "\x04\x0e" + uuidForm + timeForm + "null",
		"bob": "\x0c\x0e" + uuidForm + "\x03bob" + timeForm + "null",
	} {
		m := &Message{testUUID, MsgChat, "alice", to, binaryTime0, null, ""}
		if got, err := AppendMessage(nil, m, "alice", ""); err != nil || !bytes.Equal(got, withLength(want)) {
			t.Errorf("to %q: got %q, %v", to, got, err)
		}
	}
}

func TestAppendMessageFallsBackToJSON(t *testing.T) {
	unusual := map[string]func(*Message){
		"no from":             func(m *Message) { m.From = "" },
		"from of 1025 bytes":  func(m *Message) { m.From = strings.Repeat("f", 1025) },
		"to of 1025 bytes":    func(m *Message) { m.To = strings.Repeat("t", 1025) },
		"type of 1025 bytes":  func(m *Message) { m.Type = MessageType(strings.Repeat("t", 1025)) },
		"replyTo of 65 bytes": func(m *Message) { m.ReplyTo = strings.Repeat("r", 65) },
		"from is not UTF-8":   func(m *Message) { m.From = "\xff" },
		"id is not UTF-8":     func(m *Message) { m.ID = "\xff" },
		"offset of an hour":   func(m *Message) { m.Timestamp = m.Timestamp.In(time.FixedZone("", 3600)) },
		"offset of seconds":   func(m *Message) { m.Timestamp = m.Timestamp.In(time.FixedZone("", -30)) },
		"the year 1600":       func(m *Message) { m.Timestamp = m.Timestamp.AddDate(-426, 0, 0) },
		"the year 2300":       func(m *Message) { m.Timestamp = m.Timestamp.AddDate(274, 0, 0) },
		"a nanosecond early":  func(m *Message) { m.Timestamp = time.Unix(0, math.MinInt64).Add(-1).UTC() },
		"a nanosecond late":   func(m *Message) { m.Timestamp = time.Unix(0, math.MaxInt64).Add(1).UTC() },
	}
	for name, change := range unusual {
		m := &Message{testUUID, MsgChat, "alice", "bob", binaryTime0, json.RawMessage(` "a\u00e9" `), otherUUID}
		change(m)
		got, err := AppendMessage([]byte("before"), m, "alice", "bob")
		want, wantErr := m.AppendJSON(nil)
		if err != nil || wantErr != nil || string(got) != "before"+string(withLength(string(want))) {
			t.Errorf("%s:\ngot  %q, %v\nwant %q, %v", name, got, err, want, wantErr)
		}
		if again, err := decodeOne(got[len("before"):]); err != nil || again.ReplyTo != clean(m.ReplyTo) {
			t.Errorf("%s: decoded %+v, %v", name, again, err)
		}
	}
}

// TestMissingFromIsNoSender requires that an empty from stays empty, also for a sender without an ID.
func TestMissingFromIsNoSender(t *testing.T) {
	m := &Message{testUUID, MsgChat, "", "bob", binaryTime0, null, ""}
	form, err := AppendMessage(nil, m, "", "bob")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := decodeOne(form); err != nil || again.From != "" {
		t.Errorf("got %+v, %v", again, err)
	}
}

// clean replaces invalid UTF-8 with U+FFFD.
func clean(s string) string { return string([]rune(s)) }

func TestAppendMessageUsesTheWholeRangeOfTimes(t *testing.T) {
	for _, ts := range []time.Time{
		time.Unix(0, math.MinInt64).UTC(), time.Unix(0, math.MaxInt64).UTC(),
		time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Unix(1773234159, 1).In(time.FixedZone("another name", 0)), time.Now().UTC(),
	} {
		m := &Message{testUUID, MsgChat, "alice", "bob", ts, null, ""}
		form, err := AppendMessage(nil, m, "alice", "bob")
		if err != nil || form[1] == '{' {
			t.Fatalf("%v: %q, %v", ts, form, err)
		}
		if again, err := decodeOne(form); err != nil || !again.Timestamp.Equal(ts) {
			t.Errorf("%v: got %+v, %v", ts, again, err)
		}
	}
	// A receiver takes each number of 64 bits.
	for _, form := range []string{"\x80\x00\x00\x00\x00\x00\x00\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff"} {
		m, err := decodeOne(withLength("\x00\x0e" + uuidForm + form + "null"))
		if err != nil {
			t.Fatal(err)
		}
		checkWritable(t, m)
	}
}

func TestAppendMessageRefusesUnwritableTimes(t *testing.T) {
	m := &Message{testUUID, MsgChat, "alice", "bob", time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), null, ""}
	if got, err := AppendMessage([]byte("before"), m, "alice", "bob"); err == nil || string(got) != "before" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestLargeMessagesHaveLongLengths has payloads around the steps of LEB128.
func TestLargeMessagesHaveLongLengths(t *testing.T) {
	for _, size := range []int{127, 128, 16_383, 16_384, 1 << 20} {
		const head = 2 + 16 + 8
		m := &Message{testUUID, MsgChat, "alice", "bob", binaryTime0, nil, ""}
		m.Payload = fmt.Appendf(nil, "%q", strings.Repeat("x", size-head-2))
		form, err := AppendMessage(nil, m, "alice", "bob")
		if err != nil || len(form) != size+sizeLEB128(size) {
			t.Fatalf("%d bytes: got %d, %v", size, len(form), err)
		}
		if again, err := decodeOne(form); err != nil || !sameMessage(again, m) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
