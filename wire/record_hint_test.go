package wire

import (
	"slices"
	"testing"
)

// hints records the IDs that a decoder announces.
type hints []string

func (h *hints) Expect(id []byte) { *h = append(*h, string(id)) }

// ExpectKeys returns the numbers of the IDs, beginning with 1.
func (h *hints) ExpectKeys(messages []Message, keys []uint64) {
	for i := range messages {
		*h = append(*h, messages[i].ID)
		keys[i] = uint64(len(*h))
	}
}

func TestRecordDecoderAnnouncesIDs(t *testing.T) {
	messages := numbered(20, 9)
	messages[18].From = "" // JSON form
	messages[3].ID = testUUID
	record := joinRecord(t, messages...)
	d := NewRecordDecoder("alice", "bob", 1<<20)
	var got hints
	d.Reset(record, &got)
	var want []string
	for i := range messages {
		want = append(want, messages[i].ID)
		if i == 5 { // skipped: its key must not become that of the next message
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
		if key := uint64(i + 1); i != 18 && d.Key() != key || i == 18 && d.Key() != 0 {
			t.Errorf("message %d: key %d", i, d.Key())
		}
		if i == 0 && len(got) != 16 {
			t.Errorf("%d IDs after the first message", len(got))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
