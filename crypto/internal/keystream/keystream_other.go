//go:build !amd64 || purego

package keystream

func xor(dst []byte, nonce *[nonceLen]byte) { portable(dst, nonce) }
