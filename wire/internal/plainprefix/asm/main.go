// Command asm generates the amd64 assembly of package plainprefix: run "go generate" in that package. It is a separate
// module, so that building the node does not require the generator.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const block = 64 // bytes of a ZMM register

func main() {
	ConstraintExpr("!purego")
	TEXT("wide", NOSPLIT, "func(text string) int")
	Pragma("noescape")
	Doc("wide implements Len with AVX-512.")
	base, left := Load(Param("text").Base(), GP64()), Load(Param("text").Len(), GP64())
	quote, backslash, space := each('"'), each('\\'), each(' ')
	at, found, v := GP64(), GP64(), ZMM()
	text := Mem{Base: base, Index: at, Scale: 1}
	XORQ(at, at)

	Label("next")
	CMPQ(left, Imm(block))
	JB(LabelRef("tail"))
	VMOVDQU8(text, v)

	Label("look")
	Comment("The signed comparison also finds bytes beyond ASCII: they are negative.")
	special, other := K(), K()
	VPCMPEQB(v, quote, special)
	VPCMPEQB(v, backslash, other)
	KORQ(special, other, special)
	VPCMPGTB(v, space, other)
	KORQ(special, other, special)
	KMOVQ(special, found)
	TESTQ(found, found)
	JNE(LabelRef("found"))
	ADDQ(Imm(block), at)
	SUBQ(Imm(block), left)
	JMP(LabelRef("next"))

	Label("tail")
	Comment("The masked load appends zeros, which end the plain prefix.")
	ones, mask := GP64(), K()
	MOVQ(I32(-1), ones)
	BZHIQ(left, ones, ones)
	KMOVQ(ones, mask)
	VMOVDQU8_Z(text, mask, v)
	JMP(LabelRef("look"))

	Label("found")
	TZCNTQ(found, found)
	ADDQ(found, at)
	Store(at, ReturnIndex(0))
	VZEROUPPER()
	RET()
	Generate()
}

// each returns a vector with all bytes set to c.
func each(c byte) reg.VecVirtual {
	one, all := GP32(), ZMM()
	MOVL(U32(uint32(c)), one)
	VPBROADCASTB(one, all)
	return all
}
