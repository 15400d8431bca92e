package wire

import (
	"bytes"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// No two IDs are the same, whoever makes them at the same time, and each is a UUID v4.
func TestNewIDsAreUnique(t *testing.T) {
	const workers, each = 8, 2000
	made := make([][]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				made[w] = append(made[w], newID())
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, ids := range made {
		for _, id := range ids {
			u, err := uuid.Parse(id)
			if err != nil || u.Version() != 4 || u.Variant() != uuid.RFC4122 || u.String() != id {
				t.Fatalf("%q: version %v, variant %v, %v", id, u.Version(), u.Variant(), err)
			}
			seen[id] = true
		}
	}
	if len(seen) != workers*each {
		t.Errorf("%d IDs of %d are different", len(seen), workers*each)
	}
}

// Random bytes are drawn a block at a time, and nothing is left of those that were used.
func TestEntropyIsUsedOnce(t *testing.T) {
	var e entropy
	seen := map[[16]byte]bool{}
	for n := range 3 * len(e.bytes) / 16 {
		before := e.bytes
		drawn := e.draw()
		if left := len(e.bytes) - 16*(n%(len(e.bytes)/16)+1); e.left != left {
			t.Fatalf("draw %d: %d bytes left, want %d", n, e.left, left)
		}
		if n%(len(e.bytes)/16) != 0 && !bytes.Equal(drawn[:], before[e.left:e.left+16]) {
			t.Fatalf("draw %d is not of the block", n)
		}
		if used := e.bytes[e.left:]; !bytes.Equal(used, make([]byte, len(used))) {
			t.Fatalf("draw %d: used bytes are still there: %x", n, used)
		}
		if seen[drawn] || drawn == [16]byte{} {
			t.Fatalf("draw %d: %x", n, drawn)
		}
		seen[drawn] = true
	}
}
