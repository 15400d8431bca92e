//go:build !purego

package keystream

import (
	"fmt"
	"testing"
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

// Both are the same in the end, so this is all there is to be wrong with the choice.
func TestLanesFrom(t *testing.T) {
	if lanesFrom <= 0 || lanesFrom > groupLen {
		t.Errorf("lanes from %d bytes on, want more than none and a group of %d at most", lanesFrom, groupLen)
	}
	t.Logf("lanes from %d bytes on", lanesFrom)
}
