package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	lanes      = 16         // blocks at once, one in each 32-bit lane of a vector
	groupBytes = lanes * 32 // of key stream
	zmmBytes   = 64

	// What the same words give in every lane is computed once a call, in Go (type
	// plan): the rounds before firstRound, whose words are the nonce and the zero
	// high half of the counter, and all of the message schedule that the counter
	// does not reach.
	firstRound = counterWord
	firstTerm  = 16           // terms[0] belongs to word 16
	reached    = 22           // the first word of the schedule that the counter reaches
	mixed      = reached + 16 // the first one of which no term is free of the counter
)

// vec is a ZMM register. The functions below return fresh ones and never change
// their arguments, so that the code reads like the standard; the generator's
// register allocator makes 32 of them do.
type vec = reg.VecVirtual

func add(x, y vec) vec {
	sum := ZMM()
	VPADDD(x, y, sum)
	return sum
}

// addWord adds one word of memory to all lanes.
func addWord(word Mem, x vec) vec {
	sum := ZMM()
	VPADDD_BCST(word, x, sum)
	return sum
}

// logic combines three vectors by the truth table of a bitwise function.
func logic(table uint8, x, y, z vec) vec {
	result := ZMM()
	VMOVDQA64(x, result)
	VPTERNLOGD(U8(table), z, y, result)
	return result
}

func xor3(x, y, z vec) vec {
	VPTERNLOGD(U8(0xf0^0xcc^0xaa), z, y, x)
	return x
}
func ch(x, y, z vec) vec   { return logic(0xf0&0xcc|0x0f&0xaa, x, y, z) }
func maj(x, y, z vec) vec  { return logic(0xf0&0xcc|0xf0&0xaa|0xcc&0xaa, x, y, z) }

func rotate(x vec, n uint8) vec {
	result := ZMM()
	VPRORD(U8(n), x, result)
	return result
}

func shift(x vec, n uint8) vec {
	result := ZMM()
	VPSRLD(U8(n), x, result)
	return result
}

func bigSigma0(x vec) vec   { return xor3(rotate(x, 2), rotate(x, 13), rotate(x, 22)) }
func bigSigma1(x vec) vec   { return xor3(rotate(x, 6), rotate(x, 11), rotate(x, 25)) }
func smallSigma0(x vec) vec { return xor3(rotate(x, 7), rotate(x, 18), shift(x, 3)) }
func smallSigma1(x vec) vec { return xor3(rotate(x, 17), rotate(x, 19), shift(x, 10)) }

// xorLanes computes 16 blocks at once.
func xorLanes() {
	constants := words32("kPadded", kPadded())
	iv := words32("initial", initial[:])
	numbers := make([]uint32, lanes)
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	laneNumbers := words32("laneNumbers", numbers)
	swap := words32("swapWords", swapWords)
	step := words32("laneCount", []uint32{lanes})

	TEXT("xorLanes", NOSPLIT, "func(dst []byte, start *[8]uint32, terms *[22]uint32)")
	Pragma("noescape")
	Doc("xorLanes XORs dst, which is not empty, with the key stream from block 0 on, 16",
		"blocks at once: start is the state after round 6, terms are those of type plan.")
	dst := Mem{Base: Load(Param("dst").Base(), GP64())}
	left := Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	start := Mem{Base: Load(Param("start"), GP64())}
	terms := Mem{Base: Load(Param("terms"), GP64())}
	counter := ZMM()
	VMOVDQU32(laneNumbers, counter)

	Label("group")
	var state [8]vec
	for i := range state {
		state[i] = ZMM()
		VPBROADCASTD(start.Offset(4*i), state[i])
	}
	words := map[int]vec{counterWord: counter} // those that the lanes do not share
	for t := firstRound; t < 64; t++ {
		constant := constants.Offset(4 * t)
		if t >= firstTerm && t < reached { // the term has K in it
			constant = terms.Offset(4 * (t - firstTerm))
		}
		if t >= reached {
			words[t] = schedule(words, terms, t)
		}
		round(&state, constant, words[t])
	}
	for i := range state {
		state[i] = addWord(iv.Offset(4*i), state[i])
	}
	next := addWord(step, counter)
	VMOVDQA64(next, counter)
	stream := transpose(state, swap)

	CMPQ(left, U32(groupBytes))
	JB(LabelRef("tail"))
	for i, s := range stream {
		VPXORQ(dst.Offset(zmmBytes*i), s, s)
		VMOVDQU64(s, dst.Offset(zmmBytes*i))
	}
	ADDQ(U32(groupBytes), dst.Base)
	SUBQ(U32(groupBytes), left)
	JNE(LabelRef("group"))
	JMP(LabelRef("done"))

	Label("tail")
	Comment("Masks keep the last bytes inside of dst.")
	whole, ones := GP64(), GP64()
	MOVQ(I32(zmmBytes), whole)
	MOVQ(I32(-1), ones)
	for i, s := range stream {
		count, mask := GP64(), K()
		MOVQ(left, count)
		CMPQ(left, whole)
		CMOVQHI(whole, count)
		BZHIQ(count, ones, count)
		KMOVQ(count, mask)
		text := ZMM()
		VMOVDQU8_Z(dst.Offset(zmmBytes*i), mask, text)
		VPXORQ(text, s, s)
		VMOVDQU8(s, mask, dst.Offset(zmmBytes*i))
		SUBQ(whole, left)
		JLS(LabelRef("done"))
	}

	Label("done")
	VZEROUPPER()
	RET()
}

// schedule returns word t: the term from plan, where there is one, and what
// depends on the counter.
func schedule(words map[int]vec, terms Mem, t int) vec {
	var sum vec
	for _, part := range []struct {
		word  int
		sigma func(vec) vec
	}{{t - 16, nil}, {t - 15, smallSigma0}, {t - 7, nil}, {t - 2, smallSigma1}} {
		term, varies := words[part.word]
		if !varies {
			continue
		}
		if part.sigma != nil {
			term = part.sigma(term)
		}
		if sum == nil {
			sum = term
		} else {
			sum = add(sum, term)
		}
	}
	if t < mixed {
		sum = addWord(terms.Offset(4*(t-firstTerm)), sum)
	}
	return sum
}

// round is one round of the standard. word is nil where all lanes take the same:
// then it is in the constant already.
func round(s *[8]vec, constant Mem, word vec) {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	t1 := addWord(constant, h)
	if word != nil {
		t1 = add(t1, word)
	}
	t1 = add(add(t1, ch(e, f, g)), bigSigma1(e))
	t2 := add(bigSigma0(a), maj(a, b, c))
	*s = [8]vec{add(t1, t2), a, b, c, add(d, t1), e, f, g}
}

// transpose turns vectors that hold one word of all blocks into vectors that hold
// two whole blocks each, their bytes in the order of the key stream.
func transpose(state [8]vec, swap Mem) (stream [8]vec) {
	shuffle := ZMM()
	VBROADCASTI32X4(swap, shuffle)
	for i, s := range state {
		state[i] = ZMM()
		VPSHUFB(shuffle, s, state[i])
	}
	pair := func(op func(...Op), x, y vec) vec {
		result := ZMM()
		op(y, x, result)
		return result
	}
	// half returns, for j = 0…3, words 0 to 3 of the blocks j, j+4, j+8 and j+12,
	// each in a quarter of the vector, of the four vectors that hold these words.
	half := func(s []vec) [4]vec {
		low01, high01 := pair(VPUNPCKLDQ, s[0], s[1]), pair(VPUNPCKHDQ, s[0], s[1])
		low23, high23 := pair(VPUNPCKLDQ, s[2], s[3]), pair(VPUNPCKHDQ, s[2], s[3])
		return [4]vec{
			pair(VPUNPCKLQDQ, low01, low23), pair(VPUNPCKHQDQ, low01, low23),
			pair(VPUNPCKLQDQ, high01, high23), pair(VPUNPCKHQDQ, high01, high23),
		}
	}
	front, back := half(state[:4]), half(state[4:])
	quarters := func(x, y vec, odd bool) vec { // 0 and 2, or 1 and 3, of both
		result, select4 := ZMM(), uint8(0x88)
		if odd {
			select4 = 0xdd
		}
		VSHUFI32X4(U8(select4), y, x, result)
		return result
	}
	for j := 0; j < 4; j += 2 { // vectors of the blocks j and j+1, and of those 4, 8 and 12 further
		for i, odd := range []bool{false, true} {
			one, two := quarters(front[j], back[j], odd), quarters(front[j+1], back[j+1], odd)
			at := j/2 + 2*i
			stream[at], stream[at+4] = quarters(one, two, false), quarters(one, two, true)
		}
	}
	return stream
}
