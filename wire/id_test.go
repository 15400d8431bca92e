package wire

import (
	"sync"
	"testing"

	"github.com/google/uuid"
)

// TestNewIDReturnsUniqueUUIDs makes IDs in 8 goroutines. Each must be a UUID v4, and all must differ.
func TestNewIDReturnsUniqueUUIDs(t *testing.T) {
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

// TestIDsAllocateTogether makes the IDs of one allocation. They must be different UUIDs.
func TestIDsAllocateTogether(t *testing.T) {
	g := generators.Get().(*generator)
	var texts string
	if got := testing.AllocsPerRun(100, func() { texts = g.texts() }); got > 1 {
		t.Errorf("%v allocations for %d IDs", got, idsTogether)
	}
	seen := map[string]bool{}
	for ; texts != ""; texts = texts[uuidText:] {
		if _, ok := ParseUUID(texts[:uuidText]); !ok {
			t.Errorf("%q is no UUID", texts[:uuidText])
		}
		seen[texts[:uuidText]] = true
	}
	if len(seen) != idsTogether {
		t.Errorf("%d different IDs, want %d", len(seen), idsTogether)
	}
}
