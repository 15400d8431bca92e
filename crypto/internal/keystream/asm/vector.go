package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vec is a vector register; width allocates one. Methods return new registers and leave their arguments unchanged
// (except xor3), so that the code reads like FIPS 180-4. The generator's allocator maps them to the 32 registers of
// the CPU.
type (
	vec   = reg.VecVirtual
	width func() vec
)

var (
	xmm = width(XMM)
	zmm = width(ZMM)
)

func (w width) add(x, y vec) vec {
	sum := w()
	VPADDD(x, y, sum)
	return sum
}

// addWord adds one 32-bit word in memory to all lanes.
func (w width) addWord(word Mem, x vec) vec {
	sum := w()
	VPADDD_BCST(word, x, sum)
	return sum
}

func (w width) rotate(x vec, n uint8) vec {
	result := w()
	VPRORD(U8(n), x, result)
	return result
}

func (w width) shift(x vec, n uint8) vec {
	result := w()
	VPSRLD(U8(n), x, result)
	return result
}

// Operands for truth tables of VPTERNLOGD: the table of a bitwise function is that function of x, y and z.
const x, y, z = 0xf0, 0xcc, 0xaa

// logic combines three vectors by a truth table.
func (w width) logic(table uint8, a, b, c vec) vec {
	result := w()
	VMOVDQA64(a, result)
	VPTERNLOGD(U8(table), c, b, result)
	return result
}

// xor3 XORs three vectors. It overwrites a with the result, so a must not be used afterwards.
func (w width) xor3(a, b, c vec) vec {
	VPTERNLOGD(U8(x^y^z), c, b, a)
	return a
}

func (w width) ch(a, b, c vec) vec  { return w.logic(x&y|^x&z&0xff, a, b, c) }
func (w width) maj(a, b, c vec) vec { return w.logic(x&y|x&z|y&z, a, b, c) }

func (w width) bigSigma0(a vec) vec { return w.xor3(w.rotate(a, 2), w.rotate(a, 13), w.rotate(a, 22)) }

func (w width) bigSigma1(a vec) vec { return w.xor3(w.rotate(a, 6), w.rotate(a, 11), w.rotate(a, 25)) }

func (w width) smallSigma0(a vec) vec { return w.xor3(w.rotate(a, 7), w.rotate(a, 18), w.shift(a, 3)) }

func (w width) smallSigma1(a vec) vec {
	return w.xor3(w.rotate(a, 17), w.rotate(a, 19), w.shift(a, 10))
}

// schedule returns word t of the message schedule. Missing words count as zero; it returns nil if all four are missing.
func (w width) schedule(words map[int]vec, t int) (sum vec) {
	for _, part := range []struct {
		word  int
		sigma func(vec) vec
	}{{t - 16, nil}, {t - 7, nil}, {t - 15, w.smallSigma0}, {t - 2, w.smallSigma1}} {
		term, given := words[part.word]
		if !given {
			continue
		}
		if part.sigma != nil {
			term = part.sigma(term)
		}
		if sum == nil {
			sum = term
		} else {
			sum = w.add(sum, term)
		}
	}
	return sum
}

// round does one round of SHA-256 on s. word is nil if constant includes it.
func (w width) round(s *[8]vec, constant Mem, word vec) {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	t1 := w.addWord(constant, h)
	if word != nil {
		t1 = w.add(t1, word)
	}
	t1 = w.add(w.add(t1, w.ch(e, f, g)), w.bigSigma1(e))
	t2 := w.add(w.bigSigma0(a), w.maj(a, b, c))
	*s = [8]vec{w.add(t1, t2), a, b, c, w.add(d, t1), e, f, g}
}
