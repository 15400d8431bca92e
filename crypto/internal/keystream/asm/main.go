// Command asm generates the amd64 assembly of package keystream: run "go generate" in that package. It is a separate
// module, so that building the node does not require the generator.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	data := makeTables()
	cpuid()
	xorPairs(data)
	xorLanes(data)
	Generate()
}

// cpuid is needed for the SHA flag, which golang.org/x/sys/cpu does not report.
func cpuid() {
	TEXT("cpuid", NOSPLIT, "func(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)")
	Doc("cpuid executes the instruction CPUID.")
	Load(Param("leaf"), reg.EAX)
	Load(Param("subleaf"), reg.ECX)
	CPUID()
	Store(reg.EAX, ReturnIndex(0))
	Store(reg.EBX, ReturnIndex(1))
	Store(reg.ECX, ReturnIndex(2))
	Store(reg.EDX, ReturnIndex(3))
	RET()
}

// tables holds the read-only data. The linker aligns data to its size, so tables of 16 bytes and more have the
// alignment of 16 that SSE instructions require.
type tables struct {
	k           Mem // round constants, with the padding word added in rounds 8 to 15
	initial     Mem // A to H
	abefCDGH    Mem // the same in the order of the SHA instructions
	padding     Mem // words 8 to 15
	swapWords   Mem // byte shuffle that reverses each 32-bit word
	pairStep    Mem // 1 in word 3: increments the block number in words 4 to 7
	laneNumbers Mem // 0 to 15
	laneCount   Mem // 16
}

func makeTables() tables {
	padded := k
	for i, word := range padding {
		padded[8+i] += word
	}
	var numbers [lanes]uint32
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	h := initial
	return tables{
		k:           words("k", padded[:]...),
		initial:     words("initial", h[:]...),
		abefCDGH:    words("abefCDGH", h[5], h[4], h[1], h[0], h[7], h[6], h[3], h[2]),
		padding:     words("padding", padding[:]...),
		swapWords:   words("swapWords", 0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f),
		pairStep:    words("pairStep", 0, 0, 0, 1),
		laneNumbers: words("laneNumbers", numbers[:]...),
		laneCount:   words("laneCount", lanes),
	}
}

// words defines a read-only table of 32-bit words.
func words(name string, values ...uint32) Mem {
	table := GLOBL(name, RODATA|NOPTR)
	for i, value := range values {
		DATA(4*i, U32(value))
	}
	return table
}
