package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
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

// benchmarkMessages returns messages with objects and with texts of the named size in bytes as payloads.
func benchmarkMessages() map[string]*Message {
	large := message256()
	large.Payload = json.RawMessage(`[` + strings.Repeat(`{"member":"8dffda5ff32ade93","rate":977.5},`, 390) + `0]`)
	messages := map[string]*Message{"object": message256(), "object16384": large}
	for _, size := range []int{64, 256, 1 << 10, 16 << 10} {
		m := message256()
		m.Payload = json.RawMessage(`"` + strings.Repeat("x", size) + `"`)
		messages[fmt.Sprint(size)] = m
	}
	return messages
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

// BenchmarkAppendSealedBody measures the JSON work of sending a frame, BenchmarkDecodeSealedBody that of receiving it.
func BenchmarkAppendSealedBody(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = AppendSealedBody(dst[:0], m, testTime); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkDecodeSealedBody(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			plaintext, err := AppendSealedBody(nil, m, testTime)
			if err != nil {
				b.Fatal(err)
			}
			plaintext = append(plaintext, NewSealedEnd([]byte(someBind))...)
			room := make([]byte, 0, 2*len(plaintext))
			b.SetBytes(int64(len(plaintext)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := DecodeSealedBody(append(room, plaintext...), nil); err != nil {
					b.Fatal(err)
				}
			}
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
	payloads := map[string]any{
		"ping": PingPayload{SentAt: 1773234159123},
		"raw":  message256().Payload,
		"odd":  strings.Repeat("a \"quote\" é\n", 20),
	}
	for _, size := range []int{64, 256, 1 << 10, 16 << 10} {
		payloads[fmt.Sprint(size)] = strings.Repeat("x", size)
	}
	for name, payload := range payloads {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewMessage(MsgChat, "a", "b", payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeDeep measures the maximum nesting.
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

// BenchmarkValidate measures the checks before a message is sent. Compare with BenchmarkAppendSealedBody and
// BenchmarkFrame of package crypto/smsg.
func BenchmarkValidate(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(m.Payload)))
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Validate(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
