package lowest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestKeysAgreeWithSort compares the selection with that of the sorted texts.
func TestKeysAgreeWithSort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		after, limit := fmt.Sprintf("%03d", random.IntN(300)), 1+random.IntN(20)
		keys, want := Behind(after, limit), []string{}
		for range random.IntN(400) {
			key := fmt.Sprintf("%03d", random.IntN(300))
			keys.Add(key)
			if key > after {
				want = append(want, key)
			}
			if len(keys.values) > 2*limit {
				t.Fatalf("%d texts kept for %d", len(keys.values), limit)
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if want = want[:min(len(want), limit)]; !slices.Equal(keys.Sorted(), want) {
			t.Fatalf("after %s, %d: %v, want %v", after, limit, keys.Sorted(), want)
		}
	}
}
