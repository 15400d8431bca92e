package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// message256 is an envelope of about 256 bytes, the size of most messages.
func message256() *Message {
	return &Message{
		ID:        "6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01",
		Type:      MsgStats,
		From:      "6b4c195b5338ff84876cc6de1b1118bf",
		To:        "8dffda5ff32ade93902da91128a56961",
		Timestamp: time.Date(2026, 3, 11, 13, 2, 39, 123456789, time.UTC),
		Payload:   json.RawMessage(`{"hashrate":1234.5,"shares":1042,"miner":"xmrig","up":true}`),
	}
}

func benchmarkMessages() map[string]*Message {
	small, large := message256(), message256()
	large.Payload = json.RawMessage(`"` + string(bytes.Repeat([]byte("0123456789abcdef"), 4096)) + `"`)
	return map[string]*Message{"256B": small, "64KiB": large}
}

func BenchmarkDecode(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			data, err := m.AppendJSON(nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeByEncodingJSON(b *testing.B) {
	data, err := message256().AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var m Message
		if err := json.Unmarshal(data, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = m.AppendJSON(dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkMarshalJSON(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := MarshalJSON(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewMessage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewMessage(MsgPing, "a", "b", PingPayload{SentAt: 1773234159123}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeDeep is the worst that nesting can do.
func BenchmarkDecodeDeep(b *testing.B) {
	half := bytes.Repeat([]byte("["), MaxDepth-1)
	data := fmt.Appendf(nil, `{"id":"a","type":"b","ts":"2026-03-11T13:02:39Z","payload":%s%s}`,
		half, bytes.Repeat([]byte("]"), MaxDepth-1))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
