//go:build (amd64 || arm64 || s390x || ppc64 || ppc64le) && !purego

package session

import (
	"runtime"

	"golang.org/x/sys/cpu"
)

// hardwareGCM reports whether crypto/aes uses instructions for AES and carry-less multiplication.
func hardwareGCM() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	case "arm64":
		return cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	case "s390x":
		return cpu.S390X.HasAES && cpu.S390X.HasAESCTR && cpu.S390X.HasGHASH
	default: // each 64-bit POWER processor that Go supports
		return true
	}
}
