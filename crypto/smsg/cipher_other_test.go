//go:build !amd64 || purego

package smsg

// cipherAllocations is what one use of the cipher of golang.org/x/crypto
// allocates: in portable Go its state.
const cipherAllocations = 1
