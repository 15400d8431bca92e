//go:build !amd64 || purego

package session

// cipherAllocations returns the number of allocations per call of a cipher: portable ChaCha20 allocates its state.
func cipherAllocations(aead AEAD) float64 {
	if aead == ChaCha20Poly1305 {
		return 1
	}
	return 0
}
