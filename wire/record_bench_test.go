package wire

import (
	"fmt"
	"testing"
)

// recordOf returns a record of n messages like m with different IDs.
func recordOf(tb testing.TB, m *Message, n int) []byte {
	tb.Helper()
	var record []byte
	for range n {
		one := *m
		one.ID = newID()
		var err error
		if record, err = AppendMessage(record, &one, m.From, m.To); err != nil {
			tb.Fatal(err)
		}
	}
	return record
}

// BenchmarkAppendMessage measures the encoding of one message. Compare with BenchmarkAppendSealedBody.
func BenchmarkAppendMessage(b *testing.B) {
	for name, m := range benchmarkMessages() {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = AppendMessage(dst[:0], m, m.From, m.To); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

// BenchmarkRecordDecoder measures the decoding of records with 1, 4 and 16 messages, as far as they fit in one record.
// Compare the figures per message with BenchmarkDecodeSealedBody.
func BenchmarkRecordDecoder(b *testing.B) {
	for name, m := range benchmarkMessages() {
		for _, n := range []int{1, 4, 16} {
			if n > 1 && len(recordOf(b, m, n)) > maxTogether {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { benchmarkRecord(b, m, n) })
		}
	}
}

// BenchmarkRecordDecoderJSON measures messages in JSON form.
func BenchmarkRecordDecoderJSON(b *testing.B) {
	m := message256()
	m.From = ""
	benchmarkRecord(b, m, 16)
}

func benchmarkRecord(b *testing.B, m *Message, n int) {
	record := recordOf(b, m, n)
	d := NewRecordDecoder(m.From, m.To, 1<<20)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		d.Reset(record, nil)
		for d.More() {
			if _, err := d.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/message")
}
