//go:build !purego

package keystream

import (
	"fmt"
	"testing"
	"time"
)

// fast is what the CPU has of the assembly; XOR takes only part of it at most lengths.
func fast() (available []implementation) {
	if hasSHA {
		available = append(available, implementation{"pairs", func(dst []byte, nonce *[nonceLen]byte) { pairs(dst, nonce, 0) }})
	}
	if hasAVX512 {
		available = append(available, implementation{"lanes", lanes})
	}
	if hasSHA && hasAVX512 {
		for _, from := range []int{1, 9 * blockLen, groupLen} {
			available = append(available, implementation{fmt.Sprint("lanes from ", from), func(dst []byte, nonce *[nonceLen]byte) {
				lanesThenPairs(dst, nonce, from)
			}})
		}
	}
	return available
}

func TestEvenAt(t *testing.T) {
	for _, c := range []struct {
		lanes, pairs time.Duration
		want         int
	}{
		{170, 302, 288},      // Zen 5: nine blocks
		{270, 300, 460},      // Zen 4: 14 or 15
		{400, 300, groupLen}, // never before the group is whole
		{1, 1 << 30, 1},
	} {
		if got := evenAt(c.lanes, c.pairs); got != c.want {
			t.Errorf("%d ns in lanes, %d in pairs: from %d bytes on, want %d", c.lanes, c.pairs, got, c.want)
		}
	}
	t.Logf("here from %d bytes on", lanesFrom)
}
