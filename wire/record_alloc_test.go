package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAppendMessageAllocatesNothing covers both forms, with texts and with IDs.
func TestAppendMessageAllocatesNothing(t *testing.T) {
	for name, tt := range binaryCases() {
		if name == "payload is not UTF-8" {
			continue
		}
		checkAllocs(t, name, 0, appendAgain(t, &tt.m))
	}
	m := message256()
	m.From = "" // JSON form
	checkAllocs(t, "JSON", 0, appendAgain(t, m))
	m = message256()
	m.Payload = json.RawMessage(`"` + strings.Repeat("é\\n", 10_000) + `"`)
	checkAllocs(t, "large", 0, appendAgain(t, m))
}

func appendAgain(t *testing.T, m *Message) func() {
	first, err := AppendMessage(nil, m, "alice", "bob")
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, len(first)+maxLEB128)
	return func() {
		if _, err := AppendMessage(dst, m, "alice", "bob"); err != nil {
			t.Fatal(err)
		}
	}
}

func checkAllocs(t *testing.T, name string, want float64, run func()) {
	t.Helper()
	if got := testing.AllocsPerRun(100, run); got != want {
		t.Errorf("%s: %v allocations, want %v", name, got, want)
	}
}

// TestRecordDecoderAllocatesThreeTimesPerGroup counts the allocations for a whole record.
func TestRecordDecoderAllocatesThreeTimesPerGroup(t *testing.T) {
	chat, own, plain := message256(), message256(), message256()
	own.Type, own.From, own.ReplyTo = "own", "8dffda5ff32ade93902da91128a56961", newID()
	plain.From = ""
	for name, tt := range map[string]struct {
		m    *Message
		n    int
		want float64
	}{
		"one":                         {chat, 1, 3},
		"one with texts":              {own, 1, 3},
		"one in JSON form":            {plain, 1, 3},
		"16":                          {chat, 16, 3}, // 0.19 per message
		"16 with texts":               {own, 16, 3},
		"16 in JSON form":             {plain, 16, 48},
		"17":                          {chat, 17, 6},
		"200, as many as fit":         {chat, 200, 39}, // 0.20 per message
		"64 KiB of payloads of 4 KiB": {large(4 << 10), 15, 6},
		"64 KiB of payloads of 8 KiB": {large(8 << 10), 7, 6},
		"64 KiB of one payload":       {large(64 << 10), 1, 3},
	} {
		record := recordOf(t, tt.m, tt.n)
		d := NewRecordDecoder(tt.m.From, tt.m.To, 1<<20)
		checkAllocs(t, name, tt.want, func() {
			d.Reset(record, nil)
			for d.More() {
				if _, err := d.Next(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// large returns a message with a payload of nearly size bytes.
func large(size int) *Message {
	m := message256()
	m.Payload = json.RawMessage(`"` + strings.Repeat("x", size-100) + `"`)
	return m
}

// TestMalformedMessagesAllocateNothing covers the binary form, except a payload that is not JSON, and messages that
// are skipped.
func TestMalformedMessagesAllocateNothing(t *testing.T) {
	var record []byte
	for range 100 {
		record = append(record, withLength("\x00\xff"+uuidForm+timeForm+"null")...)
		record = append(record, withLength("\x10\x0e\x00"+timeForm+"null")...)
		record = append(record, 0)
	}
	d := NewRecordDecoder("alice", "bob", 1<<20)
	checkAllocs(t, "Next", 0, func() {
		d.Reset(record, nil)
		for d.More() {
			if _, err := d.Next(); err == nil {
				t.Fatal("accepted")
			}
		}
	})
	valid := recordOf(t, message256(), 100)
	checkAllocs(t, "Skip", 0, func() {
		d.Reset(valid, nil)
		for d.More() {
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
