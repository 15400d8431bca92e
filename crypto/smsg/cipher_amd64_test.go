//go:build !purego

package smsg

// cipherAllocations is what one use of the cipher of golang.org/x/crypto allocates.
const cipherAllocations = 0
