package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pairBytes is the key stream of two blocks.
const pairBytes = 2 * 32

// stream is one of the two blocks that the SHA instructions compute in turns.
// SHA256RNDS2 takes 4 cycles, but a second one may begin after 2: one block
// alone would leave the unit idle half of the time.
type stream struct {
	abef, cdgh reg.Register    // the state, as the instructions want it
	words      [4]reg.Register // the last 16 words of the message schedule, those of group g at g%4
}

// xorPairs computes two blocks at once with the SHA instructions of the CPU.
func xorPairs() {
	constants := words32("kPadded4", kPadded())
	start := words32("initialABEF", []uint32{
		initial[5], initial[4], initial[1], initial[0], // F E B A
		initial[7], initial[6], initial[3], initial[2], // H G D C
	})
	padding := words32("padding", []uint32{paddingBit, 0, 0, 0, 0, 0, 0, lengthBits})
	swap := words32("swapWords4", swapWords)
	step := words32("pairStep", []uint32{0, 0, 0, 1})

	TEXT("xorPairs", NOSPLIT, "func(dst []byte, nonce *[24]byte, counter uint32)")
	Pragma("noescape")
	Doc("xorPairs XORs dst, whose length is a multiple of 64 and not 0, with the key",
		"stream from block counter on, two blocks at once.")
	dst := Mem{Base: Load(Param("dst").Base(), GP64())}
	left := Load(Param("dst").Len(), GP64())
	nonce := Mem{Base: Load(Param("nonce"), GP64())}
	wk := reg.X0 // SHA256RNDS2 takes word + constant from here
	// What does not change from pair to pair is computed once and kept on the stack.
	abef, cdgh, words0, words1, words4 := AllocLocal(16), AllocLocal(16), AllocLocal(16), AllocLocal(16), AllocLocal(16)

	Comment("Words 0 to 3 are nonce; words 4 to 7 the rest of it and the counter.")
	shuffle, tmp := XMM(), XMM()
	MOVOU(swap, shuffle)
	first, second := XMM(), XMM()
	MOVOU(nonce, first)
	PSHUFB(shuffle, first)
	MOVOU(first, words0)
	MOVQ(nonce.Offset(16), second)
	PSHUFB(shuffle, second)
	number := Load(Param("counter"), GP32())
	PINSRD(Imm(3), number, second)
	MOVOU(second, words1)

	Comment("Rounds 0 to 3 and words 16 to 19.")
	a, c := XMM(), XMM()
	MOVOU(start, a)
	MOVOU(start.Offset(16), c)
	MOVOU(first, wk)
	PADDD(constants, wk)
	SHA256RNDS2(wk, a, c)
	PSHUFD(Imm(0x0e), wk, wk)
	SHA256RNDS2(wk, c, a)
	MOVOU(a, abef)
	MOVOU(c, cdgh)
	SHA256MSG1(second, first)
	padEnd := XMM()
	MOVOU(padding.Offset(16), padEnd)
	MOVO(padEnd, tmp)
	pad := XMM()
	MOVOU(padding, pad)
	PALIGNR(Imm(4), pad, tmp)
	PADDD(tmp, first)
	SHA256MSG2(padEnd, first)
	MOVOU(first, words4)

	Label("pair")
	streams := [2]*stream{}
	for i := range streams {
		s := &stream{abef: XMM(), cdgh: XMM()}
		MOVOU(abef, s.abef)
		MOVOU(cdgh, s.cdgh)
		for j := range s.words {
			s.words[j] = XMM()
		}
		MOVOU(words1, s.words[1])
		if i == 1 {
			PADDD(step, s.words[1])
		}
		MOVOU(padding, s.words[2])
		MOVOU(padding.Offset(16), s.words[3])
		MOVOU(words4, s.words[0])
		streams[i] = s
	}
	for g := 1; g < 16; g++ {
		for _, s := range streams {
			s.fourRounds(g, constants, wk)
		}
	}
	next := XMM()
	MOVOU(words1, next)
	PADDD(step, next)
	PADDD(step, next)
	MOVOU(next, words1)
	for i, s := range streams {
		s.xor(dst.Offset(32*i), start, swap)
	}
	ADDQ(Imm(pairBytes), dst.Base)
	SUBQ(Imm(pairBytes), left)
	JNE(LabelRef("pair"))
	RET()
}

// fourRounds does the rounds 4g to 4g+3, and the words of group g before, where they are not there yet.
func (s *stream) fourRounds(g int, constants Mem, wk reg.Register) {
	group := s.words[g%4]
	if g > 4 { // on words 4(g-4) to 4(g-4)+3, which make place for the new ones
		SHA256MSG1(s.words[(g-3)%4], group)
		tmp := XMM()
		MOVO(s.words[(g-1)%4], tmp)
		PALIGNR(Imm(4), s.words[(g-2)%4], tmp) // the words 7 before
		PADDD(tmp, group)
		SHA256MSG2(s.words[(g-1)%4], group)
	}
	k := constants.Offset(16 * g)
	switch g {
	case 2, 3: // the constant has the padding in it
		MOVOU(k, wk)
	default:
		MOVO(group, wk)
		PADDD(k, wk)
	}
	SHA256RNDS2(wk, s.abef, s.cdgh)
	PSHUFD(Imm(0x0e), wk, wk)
	SHA256RNDS2(wk, s.cdgh, s.abef)
}

// xor ends the block and XORs it to 32 bytes.
func (s *stream) xor(dst, start, swap Mem) {
	shuffle := XMM()
	MOVOU(swap, shuffle)
	for i, half := range []reg.Register{s.abef, s.cdgh} {
		initial := XMM()
		MOVOU(start.Offset(16*i), initial)
		PADDD(initial, half)
	}
	feba, dchg, back := s.words[0], s.cdgh, s.words[1]
	PSHUFD(Imm(0x1b), s.abef, feba)
	PSHUFD(Imm(0xb1), s.cdgh, dchg)
	MOVO(feba, back)
	PBLENDW(Imm(0xf0), dchg, feba) // DCBA
	PALIGNR(Imm(8), back, dchg)    // HGFE
	for i, half := range []reg.Register{feba, dchg} {
		PSHUFB(shuffle, half)
		text := XMM()
		MOVOU(dst.Offset(16*i), text)
		PXOR(text, half)
		MOVOU(half, dst.Offset(16*i))
	}
}
