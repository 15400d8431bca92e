package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pairBytes is the size of two blocks of key stream.
const pairBytes = 2 * 32

// stream is one of two blocks computed in interleaved order. SHA256RNDS2 has a latency of 4 cycles and a throughput
// of one per 2 cycles, so a single block would use half of the unit.
//
// Each SHA256RNDS2 does two rounds on a state in two registers: one holds A, B, E and F, the other C, D, G and H. After
// the rounds they swap roles.
type stream struct {
	abef, cdgh reg.VecVirtual
	words      [4]reg.VecVirtual // last 16 words of the message schedule; group g, words 4g to 4g+3, is at g%4
}

// xorPairs generates the loop that computes two blocks at once with the SHA instructions.
func xorPairs(data tables) {
	TEXT("xorPairs", NOSPLIT, "func(dst []byte, nonce *[24]byte, counter uint32)")
	Pragma("noescape")
	Doc("xorPairs XORs dst with the key stream from block counter on, two blocks at once.",
		"len(dst) must be a multiple of 64 and not 0.")
	dst := Mem{Base: Load(Param("dst").Base(), GP64())}
	left := Load(Param("dst").Len(), GP64())
	shared := pairsShared(data)

	Label("pair")
	var streams [2]*stream
	for i := range streams {
		s := &stream{abef: load(shared.abef), cdgh: load(shared.cdgh), words: [4]reg.VecVirtual{
			load(shared.group4), load(shared.group1), load(data.padding), load(data.padding.Offset(16)),
		}}
		if i == 1 {
			PADDD(data.pairStep, s.words[1])
		}
		streams[i] = s
	}
	for _, s := range streams {
		s.rounds6and7(data)
	}
	for g := 2; g < 16; g++ {
		for _, s := range streams {
			if g > 4 {
				s.schedule(g)
			}
			s.fourRounds(g, data)
		}
	}
	next := load(shared.group1)
	PADDD(data.pairStep, next)
	PADDD(data.pairStep, next)
	MOVOU(next, shared.group1)
	for i, s := range streams {
		s.xor(dst.Offset(32*i), data)
	}
	ADDQ(Imm(pairBytes), dst.Base)
	SUBQ(Imm(pairBytes), left)
	JNE(LabelRef("pair"))
	RET()
}

// sharedGroups is the part of the computation that all blocks share, kept on the stack.
type sharedGroups struct {
	abef, cdgh Mem // state after round 5
	group1     Mem // words 4 to 7: the rest of the nonce and the number of the next block
	group4     Mem // words 16 to 19, which do not depend on the block number
}

func pairsShared(data tables) sharedGroups {
	shared := sharedGroups{AllocLocal(16), AllocLocal(16), AllocLocal(16), AllocLocal(16)}
	nonce := Mem{Base: Load(Param("nonce"), GP64())}
	swapped := load(data.swapWords)
	group0, group1 := load(nonce), XMM()
	MOVQ(nonce.Offset(16), group1)
	PSHUFB(swapped, group0)
	PSHUFB(swapped, group1)
	PINSRD(Imm(3), Load(Param("counter"), GP32()), group1)
	MOVOU(group1, shared.group1)

	s := &stream{abef: load(data.abefCDGH), cdgh: load(data.abefCDGH.Offset(16)), words: [4]reg.VecVirtual{
		group0, group1, load(data.padding), load(data.padding.Offset(16)),
	}}
	s.fourRounds(0, data)
	s.wordsAndConstants(1, data)
	s.twoRounds()
	MOVOU(s.abef, shared.abef)
	MOVOU(s.cdgh, shared.cdgh)
	s.schedule(4)
	MOVOU(s.words[0], shared.group4)
	return shared
}

func load(from Mem) reg.VecVirtual {
	into := XMM()
	MOVOU(from, into)
	return into
}

// schedule replaces group g-4 with group g of the message schedule.
func (s *stream) schedule(g int) {
	group, before := s.words[g%4], s.words[(g+3)%4]
	SHA256MSG1(s.words[(g+1)%4], group)
	sevenBack := XMM()
	MOVO(before, sevenBack)
	PALIGNR(Imm(4), s.words[(g+2)%4], sevenBack)
	PADDD(sevenBack, group)
	SHA256MSG2(before, group)
}

// wordsAndConstants loads words plus round constants of group g into X0, an implicit operand of SHA256RNDS2.
func (s *stream) wordsAndConstants(g int, data tables) {
	if g == 2 || g == 3 { // data.k includes the padding
		MOVOU(data.k.Offset(16*g), reg.X0)
		return
	}
	MOVO(s.words[g%4], reg.X0)
	PADDD(data.k.Offset(16*g), reg.X0)
}

// twoRounds does two rounds with the low half of X0.
func (s *stream) twoRounds() {
	SHA256RNDS2(reg.X0, s.abef, s.cdgh)
	s.abef, s.cdgh = s.cdgh, s.abef
}

func (s *stream) fourRounds(g int, data tables) {
	s.wordsAndConstants(g, data)
	s.twoRounds()
	PSHUFD(Imm(0x0e), reg.X0, reg.X0)
	s.twoRounds()
}

// rounds6and7 does the half of group 1 that depends on the block number.
func (s *stream) rounds6and7(data tables) {
	s.wordsAndConstants(1, data)
	PSHUFD(Imm(0x0e), reg.X0, reg.X0)
	s.twoRounds()
}

// xor finishes the block and XORs 32 bytes at dst with it.
func (s *stream) xor(dst Mem, data tables) {
	PADDD(data.abefCDGH, s.abef)
	PADDD(data.abefCDGH.Offset(16), s.cdgh)
	Comment("From ABEF and CDGH to ABCD and EFGH.")
	front, back, feba := XMM(), s.cdgh, XMM()
	PSHUFD(Imm(0x1b), s.abef, feba)
	PSHUFD(Imm(0xb1), s.cdgh, back)
	MOVO(feba, front)
	PBLENDW(Imm(0xf0), back, front)
	PALIGNR(Imm(8), feba, back)
	swapped := load(data.swapWords)
	for i, half := range []reg.VecVirtual{front, back} {
		PSHUFB(swapped, half)
		text := load(dst.Offset(16 * i))
		PXOR(text, half)
		MOVOU(half, dst.Offset(16*i))
	}
}
