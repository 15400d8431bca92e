//go:build !purego

package keystream

import (
	"math"
	"time"

	"golang.org/x/sys/cpu"
)

//go:generate go -C asm run . -out ../blocks_amd64.s -stubs ../blocks_amd64.go -pkg keystream

const (
	pairLen  = 2 * blockLen
	groupLen = 16 * blockLen

	// The assembly counts the blocks in 32 bits.
	maxFast = blockLen << 32
)

// What this CPU can do. It cannot change, so it is looked up once and not for
// every frame. These are flags and not a func variable, since through that dst and
// nonce would escape to the heap.
var (
	hasSHA    = detectSHA() && cpu.X86.HasSSSE3 && cpu.X86.HasSSE41
	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2
)

// lanesFrom is from how many bytes on a group of lanes, which takes the same time
// however few of them are wanted, is quicker than pairs. CPUs differ: 14 or 15
// blocks where 512 bits go through in two halves (Zen 4), 9 where they go in one
// (Zen 5). So it is measured, which takes some microseconds; only speed follows from it.
var lanesFrom = measureLanes()

func measureLanes() int {
	if !hasSHA || !hasAVX512 {
		return groupLen
	}
	var group [groupLen]byte
	var nonce [nonceLen]byte
	quickest := func(run func()) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range 8 {
			began := time.Now()
			run()
			least = min(least, time.Since(began))
		}
		return max(least, 1)
	}
	inPairs := quickest(func() { pairs(group[:], &nonce, 0) })
	return evenAt(quickest(func() { lanes(group[:], &nonce) }), inPairs)
}

// evenAt is how many bytes take as long in pairs as a group of lanes does, for the
// times that a group's bytes take.
func evenAt(inLanes, inPairs time.Duration) int {
	return int(max(1, min(groupLen*inLanes/inPairs, groupLen)))
}

func detectSHA() bool {
	const featureLeaf, shaBit = 7, 1 << 29 // in EBX
	if highest, _, _, _ := cpuid(0, 0); highest < featureLeaf {
		return false
	}
	_, features, _, _ := cpuid(featureLeaf, 0)
	return features&shaBit != 0
}

func xor(dst []byte, nonce *[nonceLen]byte) {
	switch {
	case uint64(len(dst)) > maxFast:
		portable(dst, nonce)
	case hasSHA && hasAVX512:
		lanesThenPairs(dst, nonce, lanesFrom)
	case hasSHA:
		pairs(dst, nonce, 0)
	case hasAVX512:
		lanes(dst, nonce)
	default:
		portable(dst, nonce)
	}
}

// lanesThenPairs gives the lanes all whole groups and a last one of from bytes or
// more, and the pairs the rest.
func lanesThenPairs(dst []byte, nonce *[nonceLen]byte, from int) {
	split := len(dst) - len(dst)%groupLen
	if len(dst)-split >= from {
		split = len(dst)
	}
	lanes(dst[:split], nonce)
	pairs(dst[split:], nonce, uint32(split/blockLen))
}

// lanes is for AVX-512.
func lanes(dst []byte, nonce *[nonceLen]byte) {
	if len(dst) > 0 {
		xorLanes(dst, nonce)
	}
}

// pairs is for the SHA instructions. It begins with the block of the given number.
func pairs(dst []byte, nonce *[nonceLen]byte, block uint32) {
	whole := len(dst) - len(dst)%pairLen
	if whole > 0 {
		xorPairs(dst[:whole], nonce, block)
	}
	tail := dst[whole:]
	if len(tail) == 0 {
		return
	}
	var pair [pairLen]byte
	copy(pair[:], tail)
	xorPairs(pair[:], nonce, block+uint32(whole/blockLen))
	copy(tail, pair[:])
}
