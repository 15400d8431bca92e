//go:build !amd64 || purego

package smsg

// cipherAllocations is the number of allocations per call of the cipher of golang.org/x/crypto: portable Go allocates
// its state.
const cipherAllocations = 1
