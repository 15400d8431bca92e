//go:build !purego

package keystream

import "golang.org/x/sys/cpu"

//go:generate go -C asm run . -out ../blocks_amd64.s -stubs ../blocks_amd64.go -pkg keystream

const (
	pairLen  = 2 * blockLen
	groupLen = 16 * blockLen

	maxFast = blockLen << 32 // bytes; the assembly counts blocks in 32 bits
)

// CPU features. They are flags, not a func variable: calls through a variable would move dst and nonce to the heap.
var (
	hasSHA    = detectSHA() && cpu.X86.HasSSSE3 && cpu.X86.HasSSE41
	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2
)

func detectSHA() bool {
	const featureLeaf, shaBit = 7, 1 << 29 // in EBX
	if highest, _, _, _ := cpuid(0, 0); highest < featureLeaf {
		return false
	}
	_, features, _, _ := cpuid(featureLeaf, 0)
	return features&shaBit != 0
}

// xor selects an implementation by CPU feature, in order of preference. The times justify the order: BenchmarkXOR on an
// AMD EPYC with both features, in ns for 64, 256, 400, 1,024 and 16,384 bytes (minimum of 40 runs).
//
//	lanes and pairs   lanes for whole groups, pairs for the rest     41   141   245    488    7,556
//	pairs             SHA instructions only                          42   144   253    557    8,561
//	lanes             AVX-512 only                                  255   255   257    491    7,504
//	portable          crypto/sha256 and its marshaled state         118   454   725  1,776   28,378
//	definition        crypto/sha256.Sum256                          169   671  1,085 2,672   42,951
//
// Lanes compute 16 blocks even if fewer are needed, so pairs are faster for the rest of a text.
func xor(dst []byte, nonce *[nonceLen]byte) {
	switch {
	case uint64(len(dst)) > maxFast:
		portable(dst, nonce)
	case hasAVX512 && hasSHA:
		lanesAndPairs(dst, nonce)
	case hasSHA:
		pairs(dst, nonce, 0)
	case hasAVX512:
		lanes(dst, nonce)
	default:
		portable(dst, nonce)
	}
}

// lanesAndPairs uses lanes for whole groups of 512 bytes and pairs for the rest.
func lanesAndPairs(dst []byte, nonce *[nonceLen]byte) {
	split := len(dst) - len(dst)%groupLen
	lanes(dst[:split], nonce)
	pairs(dst[split:], nonce, uint32(split/blockLen))
}

// lanes computes 16 blocks at once. It requires hasAVX512.
func lanes(dst []byte, nonce *[nonceLen]byte) {
	if len(dst) > 0 {
		xorLanes(dst, nonce)
	}
}

// pairs computes two blocks at once, from number block on. It requires hasSHA.
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
