//go:build !purego

package smsg

// cipherAllocations is the number of allocations per call of the cipher of golang.org/x/crypto.
const cipherAllocations = 0
