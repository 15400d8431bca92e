package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	lanes      = 16             // blocks at once, one in each 32-bit lane of a ZMM register
	groupBytes = lanes * 32     // key stream of 16 blocks
	zmmBytes   = groupBytes / 8 // key stream of two blocks
)

// Rounds and schedule words that do not depend on the block number are the same in every lane and every group. They are
// computed once per call, in XMM registers, and kept on the stack.
const (
	firstRound = counterWord  // first round that depends on the block number
	reached    = 22           // first word of the schedule that depends on it
	mixed      = reached + 16 // first word of which every term depends on it
)

// xorLanes generates the loop that computes 16 blocks at once.
func xorLanes(data tables) {
	TEXT("xorLanes", NOSPLIT, "func(dst []byte, nonce *[24]byte)")
	Pragma("noescape")
	Doc("xorLanes XORs dst with the key stream from block 0 on, 16 blocks at once. dst must",
		"not be empty, and at most 2^32 blocks long.")
	dst := Mem{Base: Load(Param("dst").Base(), GP64())}
	left := Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	nonce := Mem{Base: Load(Param("nonce"), GP64())}
	start, terms := sharedPart(data, nonce)
	counter := ZMM()
	VMOVDQU32(data.laneNumbers, counter)

	Label("group")
	var state [8]vec
	for i := range state {
		state[i] = ZMM()
		VPBROADCASTD(start.Offset(4*i), state[i])
	}
	words := map[int]vec{counterWord: counter} // words that differ between lanes
	for t := firstRound; t < 64; t++ {
		if t >= reached {
			words[t] = zmm.schedule(words, t)
			if t < mixed {
				words[t] = zmm.addWord(terms.Offset(4*t), words[t])
			}
		}
		constant := data.k.Offset(4 * t)
		if t > 15 && t < reached {
			constant = terms.Offset(4 * t)
		}
		zmm.round(&state, constant, words[t])
	}
	for i := range state {
		state[i] = zmm.addWord(data.initial.Offset(4*i), state[i])
	}
	VMOVDQA64(zmm.addWord(data.laneCount, counter), counter)
	stream := transpose(state, data.swapWords)

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
	Comment("Masks limit loads and stores to dst.")
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

// sharedPart computes the state before firstRound, and for each word from 16 on the sum of its terms that depend on
// nonce and padding only. Terms before reached include the round constant.
func sharedPart(data tables, nonce Mem) (start, terms Mem) {
	start, terms = AllocLocal(4*8), AllocLocal(4*mixed)
	words := map[int]vec{}
	swapped := XMM()
	VMOVDQU(data.swapWords, swapped)
	for i := range 6 {
		words[i] = XMM()
		VMOVD(nonce.Offset(4*i), words[i])
		VPSHUFB(swapped, words[i], words[i])
	}
	words[8], words[15] = XMM(), XMM()
	VMOVD(data.padding, words[8])
	VMOVD(data.padding.Offset(4*7), words[15])

	var state [8]vec
	for i := range state {
		state[i] = XMM()
		VMOVD(data.initial.Offset(4*i), state[i])
	}
	for t := range firstRound {
		xmm.round(&state, data.k.Offset(4*t), words[t])
	}
	for i, s := range state {
		VMOVD(s, start.Offset(4*i))
	}
	for t := 16; t < mixed; t++ {
		term := xmm.schedule(words, t)
		switch {
		case t < reached:
			words[t] = term
			term = xmm.addWord(data.k.Offset(4*t), term)
		case term == nil:
			term = XMM()
			VPXOR(term, term, term)
		}
		VMOVD(term, terms.Offset(4*t))
	}
	return start, terms
}

// transpose converts vectors that hold one word of all 16 blocks to vectors that hold two whole blocks each, in the
// byte order of the key stream.
func transpose(state [8]vec, swapWords Mem) (stream [8]vec) {
	swapped := ZMM()
	VBROADCASTI32X4(swapWords, swapped)
	for i, s := range state {
		state[i] = ZMM()
		VPSHUFB(swapped, s, state[i])
	}
	pair := func(op func(...Op), x, y vec) vec {
		result := ZMM()
		op(y, x, result)
		return result
	}
	// half takes four vectors, one per word. For j = 0 to 3 it returns the four words of blocks j, j+4, j+8 and j+12,
	// one block in each quarter of the vector.
	half := func(s []vec) [4]vec {
		low01, high01 := pair(VPUNPCKLDQ, s[0], s[1]), pair(VPUNPCKHDQ, s[0], s[1])
		low23, high23 := pair(VPUNPCKLDQ, s[2], s[3]), pair(VPUNPCKHDQ, s[2], s[3])
		return [4]vec{
			pair(VPUNPCKLQDQ, low01, low23), pair(VPUNPCKHQDQ, low01, low23),
			pair(VPUNPCKLQDQ, high01, high23), pair(VPUNPCKHQDQ, high01, high23),
		}
	}
	front, back := half(state[:4]), half(state[4:])
	quarters := func(x, y vec, odd bool) vec { // quarters 0 and 2 of both, or 1 and 3
		result, choice := ZMM(), U8(0x88)
		if odd {
			choice = 0xdd
		}
		VSHUFI32X4(choice, y, x, result)
		return result
	}
	for j := 0; j < 4; j += 2 { // blocks j and j+1, and the same plus 4, 8 and 12
		for i, odd := range []bool{false, true} {
			one, two := quarters(front[j], back[j], odd), quarters(front[j+1], back[j+1], odd)
			at := j/2 + 2*i
			stream[at], stream[at+4] = quarters(one, two, false), quarters(one, two, true)
		}
	}
	return stream
}
