package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const timestamp = "2026-03-11T13:02:39.123456789Z"

var testTime = time.Date(2026, 3, 11, 13, 2, 39, 123456789, time.UTC)

// frameSeeds returns the envelopes of testdata/frames, which deployed nodes sent.
func frameSeeds(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/frames/*.json")
	if err != nil || len(files) != 6 {
		t.Fatalf("seeds: %v, %v", files, err)
	}
	seeds := make(map[string][]byte)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seeds[filepath.Base(file)] = data
	}
	return seeds
}

func TestDecodeReadsFramesOfDeployedNodes(t *testing.T) {
	for name, data := range frameSeeds(t) {
		t.Run(name, func(t *testing.T) {
			m, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			var want Message
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			if !sameMessage(m, &want) {
				t.Errorf("got  %+v\nwant %+v", *m, want)
			}
			// AppendJSON must return the same bytes.
			if again, err := m.AppendJSON(nil); err != nil || string(again) != string(data) {
				t.Errorf("encoded again: %s, %v\nwas %s", again, err, data)
			}
		})
	}
}

// sameMessage compares two messages, with times by instant and text.
func sameMessage(a, b *Message) bool {
	x, y := *a, *b
	x.Timestamp, y.Timestamp = time.Time{}, time.Time{}
	return reflect.DeepEqual(x, y) && a.Timestamp.Equal(b.Timestamp) &&
		a.Timestamp.Format(time.RFC3339Nano) == b.Timestamp.Format(time.RFC3339Nano)
}

// acceptedCase is an envelope that Decode accepts and the expected message.
type acceptedCase struct {
	data string
	want Message
}

func acceptedCases() map[string]acceptedCase {
	least := Message{ID: "a", Type: "b", Timestamp: testTime, Payload: json.RawMessage("null")}
	with := func(change func(*Message)) Message {
		m := least
		change(&m)
		return m
	}
	const head, tail = `{"id":"a","type":"b","ts":"` + timestamp + `"`, `}`
	return map[string]acceptedCase{
		"least":          {head + tail, least},
		"spaces":         {" \t\r\n{ \"id\" : \"a\" ,\n\"type\":\"b\",\"ts\":\t\"" + timestamp + "\" } \n", least},
		"unknown keys":   {head + `,"x":{"id":"z","y":[{"payload":[[]]},{}]},"":1` + tail, least},
		"keys by case":   {head + `,"ID":"z","Id":7,"TYPE":{},"tſ":1,"Payload":3,"replyto":"z"` + tail, least},
		"escaped key":    {`{"\u0069\u0064":"a","\u0074ype":"b","t\u0073":"` + timestamp + `"}`, least},
		"long unknown":   {head + `,"` + strings.Repeat(`\u0069`, 999) + `":0` + tail, least},
		"last id wins":   {`{"id":"z",` + head[1:] + tail, least},
		"null is absent": {head + `,"id":null,"ts":null,"type":null,"from":null,"to":null,"replyTo":null` + tail, least},
		"null payload":   {head + `,"payload":1,"payload":null` + tail, least},
		"payload as came": {
			head + `,"payload": { "a" : "\u0041` + "\xff" + `" } ` + tail,
			with(func(m *Message) { m.Payload = json.RawMessage(`{ "a" : "\u0041` + "\xff" + `" }`) }),
		},
		"numbers": {
			head + `,"payload":[0,-0,1.5e+10,10E-2,-12.0e3]` + tail,
			with(func(m *Message) { m.Payload = json.RawMessage(`[0,-0,1.5e+10,10E-2,-12.0e3]`) }),
		},
		"known type":   {head + `,"type":"ping"` + tail, with(func(m *Message) { m.Type = MsgPing })},
		"escaped type": {head + `,"type":"pin\u0067"` + tail, with(func(m *Message) { m.Type = MsgPing })},
		"all strings": {
			head + `,"from":"f","to":"t","replyTo":"r","type":"own"` + tail,
			with(func(m *Message) { m.From, m.To, m.ReplyTo, m.Type = "f", "t", "r", "own" }),
		},
		"escapes": {
			head + `,"from":"\"\\\/\b\f\n\r\t\u00e9\u20AC"` + tail,
			with(func(m *Message) { m.From = "\"\\/\b\f\n\r\té€" }),
		},
		"surrogates": {
			head + `,"from":"\ud83d\ude80 \ud83d \ude80 \ud83dx \ud83d\u0041 \ud83d\ud83d\ude80"` + tail,
			with(func(m *Message) { m.From = "🚀 \ufffd \ufffd \ufffdx \ufffdA \ufffd🚀" }),
		},
		"no UTF-8": {
			head + `,"from":"é` + "\xff\xfe\xe2\x80" + `."` + tail,
			with(func(m *Message) { m.From = "é\ufffd\ufffd\ufffd\ufffd." }),
		},
		"longest id": {
			head + `,"id":"` + strings.Repeat("i", 64) + `"` + tail,
			with(func(m *Message) { m.ID = strings.Repeat("i", 64) }),
		},
		"longest id escaped": {
			head + `,"id":"` + strings.Repeat(`\u0069`, 64) + `"` + tail,
			with(func(m *Message) { m.ID = strings.Repeat("i", 64) }),
		},
		"zone": {
			head + `,"ts":"2026-03-11T18:32:39.123456789+05:30"` + tail,
			with(func(m *Message) { m.Timestamp = testTime.In(time.FixedZone("", 19800)) }),
		},
	}
}

func TestDecodeAcceptsValidEnvelopes(t *testing.T) {
	for name, tt := range acceptedCases() {
		t.Run(name, func(t *testing.T) {
			m, err := Decode([]byte(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if !sameMessage(m, &tt.want) {
				t.Errorf("got  %+v\nwant %+v", *m, tt.want)
			}
		})
	}
}

func TestDecodeLimitsDepth(t *testing.T) {
	for _, brackets := range []string{"[]", "{}"} {
		opening, closing := brackets[:1], brackets[1:]
		if opening == "{" {
			opening = `{"":`
		}
		other := map[string]string{"]": "}", "}": "]"}[closing]
		nested := func(key string, depth int) []byte {
			value := strings.Repeat(opening, depth-1) + brackets + strings.Repeat(closing, depth-1)
			return fmt.Appendf(nil, `{"id":"a","type":"b","ts":%q,%q:%s}`, timestamp, key, value)
		}
		for _, key := range []string{"payload", "unknown"} {
			for _, depth := range []int{1, 63, 64, 65, 127, 128, 129, 1000, MaxDepth - 1} {
				data := nested(key, depth)
				if _, err := Decode(data); err != nil {
					t.Errorf("%s %d deep in %s: %v", brackets, depth, key, err)
				}
				// Replace the closing bracket of the second innermost level.
				wrong := []byte(strings.Replace(string(data), brackets+closing, brackets+other, 1))
				if depth == 1 {
					wrong = []byte(strings.Replace(string(data), brackets, opening+other, 1))
				}
				if _, err := Decode(wrong); !errors.Is(err, ErrMalformed) {
					t.Errorf("%s %d deep in %s with a wrong bracket: %v", brackets, depth, key, err)
				}
			}
			for _, depth := range []int{MaxDepth, 100_000} {
				if _, err := Decode(nested(key, depth)); !errors.Is(err, ErrMalformed) {
					t.Errorf("%s %d deep in %s: %v", brackets, depth, key, err)
				}
			}
		}
	}
}

func TestDecodeCopiesItsInput(t *testing.T) {
	data := []byte(`{"id":"abc","type":"own","from":"f\n","to":"t","ts":"` + timestamp +
		`","payload":{"k":[1,2]},"replyTo":"r"}`)
	m, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	want := Message{
		ID: "abc", Type: "own", From: "f\n", To: "t", Timestamp: testTime,
		Payload: json.RawMessage(`{"k":[1,2]}`), ReplyTo: "r",
	}
	if !sameMessage(m, &want) {
		t.Errorf("got  %+v\nwant %+v", *m, want)
	}
}

func TestDecodeAllocatesThreeTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		want float64
	}{
		"all keys": {
			`{"id":"6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01","type":"ping","from":"6b4c195b5338ff84876cc6de1b1118bf",` +
				`"to":"8dffda5ff32ade93902da91128a56961","ts":"` + timestamp + `",` +
				`"payload":{"sentAt":1773234159123},"replyTo":"6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01"}`,
			3,
		},
		"unknown type": {`{"id":"a","type":"of an application","ts":"` + timestamp + `","payload":{}}`, 3},
		"escapes":      {`{"\u0069d":"\n","type":"é","from":"` + "\xff" + `","ts":"` + timestamp + `"}`, 3},
		"unknown keys": {`{"id":"a","type":"b","ts":"` + timestamp + `","payload":1,"x":{"y":[[[["z"]]]]}}`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(tt.data)
			got := testing.AllocsPerRun(200, func() {
				if _, err := Decode(data); err != nil {
					t.Fatal(err)
				}
			})
			if got > tt.want {
				t.Errorf("%v allocations, want %v at most", got, tt.want)
			}
		})
	}
}
