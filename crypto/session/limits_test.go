package session

import (
	"errors"
	"testing"
)

// TestOpenerRefusesRecordTwoMillion seals and opens 2^21 records, twice as many as a sender may, under one key: the
// next one is refused, and no later one opens.
func TestOpenerRefusesRecordTwoMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("seals two million records")
	}
	const limit = 1 << 21
	p := mustPair(t, AES256GCM, false)
	buffer := make([]byte, 2, 2+tagLen)
	for i := range limit {
		if _, _, err := p.open.Open(p.out.Seal(buffer[:2]), 0); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if !p.out.MustRekey(0) {
		t.Error("the sender needs no rekey")
	}
	for range 2 {
		if _, _, err := p.open.Open(p.out.Seal(buffer[:2]), 0); !errors.Is(err, ErrKeyLimit) {
			t.Errorf("record %d: %v, want ErrKeyLimit", limit, err)
		}
	}
}
