//go:build !purego

#include "textflag.h"

// func Uint16(p *uint16)
TEXT ·Uint16(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	PREFETCHT0 (AX)
	RET
