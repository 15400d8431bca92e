// Command asm generates the amd64 assembly of package jsonstring: run "go generate" in that package. It is a separate
// module, so that building the node does not require the generator.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	whole = 64 // bytes of a ZMM register
	half  = 32 // bytes of text whose escaped form fits a ZMM register
)

func main() {
	ConstraintExpr("!purego")
	escapeBlocks()
	unescapeBlocks()
	Generate()
}

// each returns a vector with all bytes set to c.
func each(c byte) reg.VecVirtual {
	one, all := GP32(), ZMM()
	MOVL(U32(uint32(c)), one)
	VPBROADCASTB(one, all)
	return all
}

// finder finds quotes, backslashes and control characters.
type finder struct{ quote, backslash, space reg.VecVirtual }

func newFinder() finder { return finder{each('"'), each('\\'), each(' ')} }

// find returns masks of the quotes, the backslashes and the control characters in v.
func (f finder) find(v reg.VecVirtual) (quotes, backslashes, controls reg.OpmaskVirtual) {
	quotes, backslashes, controls = K(), K(), K()
	VPCMPEQB(v, f.quote, quotes)
	VPCMPEQB(v, f.backslash, backslashes)
	const less = 1
	VPCMPUB(Imm(less), f.space, v, controls)
	return quotes, backslashes, controls
}

// lowest returns a mask of the lowest n of 64 bytes.
func lowest(n, ones reg.GPVirtual) reg.OpmaskVirtual {
	bits, mask := GP64(), K()
	BZHIQ(n, ones, bits)
	KMOVQ(bits, mask)
	return mask
}

func word(k reg.OpmaskVirtual) reg.GPVirtual {
	bits := GP64()
	KMOVQ(k, bits)
	return bits
}

// escapeBlocks copies 64 bytes at a time if none needs an escape, else it escapes 32 bytes, which become at most 64.
//
// Each byte has two bits in a word: the even bit for its backslash, the odd bit for the byte itself. PEXT removes the
// even bits of bytes that need no backslash. The result selects the bytes of a vector of backslashes that VPEXPANDB
// replaces with the text. Example for a"b:
//
//	bits, lowest first   01 11 01
//	after PEXT           1 01 1
//	text                 a \" b
func escapeBlocks() {
	TEXT("escapeBlocks", NOSPLIT, "func(dst, text []byte) (read, written int)")
	Pragma("noescape")
	Doc("escapeBlocks implements Escape with AVX-512 VBMI2.")
	to, room := Load(Param("dst").Base(), GP64()).(reg.GPVirtual), Load(Param("dst").Len(), GP64()).(reg.GPVirtual)
	from, left := Load(Param("text").Base(), GP64()).(reg.GPVirtual), Load(Param("text").Len(), GP64()).(reg.GPVirtual)
	f := newFinder()
	even, odd, ones := GP64(), GP64(), GP64()
	MOVQ(U64(0x5555555555555555), even)
	MOVQ(U64(0xaaaaaaaaaaaaaaaa), odd)
	MOVQ(I32(-1), ones)
	v := ZMM()

	Label("next")
	CMPQ(room, Imm(whole))
	JB(LabelRef("done"))
	CMPQ(left, Imm(whole))
	JB(LabelRef("half"))
	VMOVDQU8(Mem{Base: from}, v)
	quotes, backslashes, controls := f.find(v)
	KORQ(quotes, backslashes, quotes)
	KORTESTQ(quotes, controls)
	JNE(LabelRef("half"))
	VMOVDQU8(v, Mem{Base: to})
	ADDQ(Imm(whole), from)
	ADDQ(Imm(whole), to)
	SUBQ(Imm(whole), left)
	SUBQ(Imm(whole), room)
	JMP(LabelRef("next"))

	Label("half")
	CMPQ(left, Imm(half))
	JB(LabelRef("tail"))
	VMOVDQU8(Mem{Base: from}, v.AsY())
	JMP(LabelRef("spread"))

	Label("tail")
	Comment("The masked load appends zeros: control characters, which stop the loop.")
	TESTQ(left, left)
	JE(LabelRef("done"))
	VMOVDQU8_Z(Mem{Base: from}, lowest(left, ones), v)

	Label("spread")
	quotes, backslashes, controls = f.find(v)
	KORD(quotes, backslashes, quotes)
	special, stop, count := GP64(), GP64(), GP64()
	KMOVD(quotes, special.As32())
	KMOVD(controls, stop.As32())
	TZCNTL(stop.As32(), stop.As32()) // 32 if there is none
	JE(LabelRef("done"))
	BZHIQ(stop, special, special)
	spread, places := GP64(), K()
	PDEPQ(even, special, spread)
	ORQ(odd, spread)
	PEXTQ(spread, odd, spread)
	KMOVQ(spread, places)
	out := ZMM()
	VMOVDQA64(f.backslash, out)
	VPEXPANDB(v, places, out)
	VMOVDQU8(out, Mem{Base: to})
	POPCNTQ(special, count)
	ADDQ(stop, count)
	ADDQ(stop, from)
	SUBQ(stop, left)
	ADDQ(count, to)
	SUBQ(count, room)
	JMP(LabelRef("next"))

	Label("done")
	dst, text := GP64(), GP64()
	Load(Param("text").Base(), text)
	SUBQ(text, from)
	Store(from, ReturnIndex(0))
	Load(Param("dst").Base(), dst)
	SUBQ(dst, to)
	Store(to, ReturnIndex(1))
	VZEROUPPER()
	RET()
}

// unescapeBlocks removes the backslashes before quotes from 64 bytes at a time.
func unescapeBlocks() {
	TEXT("unescapeBlocks", NOSPLIT, "func(text []byte, to, at int) (newTo, newAt int)")
	Pragma("noescape")
	Doc("unescapeBlocks implements Unescape with AVX-512 VBMI2.")
	base, end := Load(Param("text").Base(), GP64()).(reg.GPVirtual), Load(Param("text").Len(), GP64()).(reg.GPVirtual)
	to, at := Load(Param("to"), GP64()).(reg.GPVirtual), Load(Param("at"), GP64()).(reg.GPVirtual)
	from, into := Mem{Base: base, Index: at, Scale: 1}, Mem{Base: base, Index: to, Scale: 1}
	f := newFinder()
	ones, left := GP64(), GP64()
	MOVQ(I32(-1), ones)
	v, out := ZMM(), ZMM()

	Label("next")
	MOVQ(end, left)
	SUBQ(at, left)
	CMPQ(left, Imm(whole))
	JB(LabelRef("tail"))
	VMOVDQU8(from, v)

	Label("look")
	q, b, c := f.find(v)
	quotes, backslashes, controls := word(q), word(b), word(c)
	pairs, bad, paired := GP64(), GP64(), GP64()
	MOVQ(quotes, pairs) // backslashes before a quote
	SHRQ(Imm(1), pairs)
	ANDQ(backslashes, pairs)
	MOVQ(pairs, paired) // quotes after a backslash
	SHLQ(Imm(1), paired)
	MOVQ(backslashes, bad)
	XORQ(pairs, bad)
	XORQ(quotes, paired)
	ORQ(paired, bad)
	ORQ(controls, bad)
	JNE(LabelRef("part"))
	NOTQ(pairs)
	keep, count := K(), GP64()
	KMOVQ(pairs, keep)
	VPCOMPRESSB_Z(v, keep, out)
	Comment("The store does not extend beyond the bytes read.")
	VMOVDQU8(out, into)
	POPCNTQ(pairs, count)
	ADDQ(count, to)
	ADDQ(Imm(whole), at)
	JMP(LabelRef("next"))

	Label("part")
	Comment("Process the bytes before the first bad byte. A backslash in the last byte is bad only until the next load.")
	stop := GP64()
	TZCNTQ(bad, stop)
	JE(LabelRef("done"))
	NOTQ(pairs)
	BZHIQ(stop, pairs, pairs)
	KMOVQ(pairs, keep)
	VPCOMPRESSB_Z(v, keep, out)
	POPCNTQ(pairs, count)
	VMOVDQU8(out, lowest(count, ones), into)
	ADDQ(count, to)
	ADDQ(stop, at)
	JMP(LabelRef("next"))

	Label("tail")
	Comment("The masked load appends zeros: control characters, which stop the loop.")
	TESTQ(left, left)
	JE(LabelRef("done"))
	VMOVDQU8_Z(from, lowest(left, ones), v)
	JMP(LabelRef("look"))

	Label("done")
	Store(to, ReturnIndex(0))
	Store(at, ReturnIndex(1))
	VZEROUPPER()
	RET()
}
