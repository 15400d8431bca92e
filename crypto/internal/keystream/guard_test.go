//go:build linux

package keystream

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/Snider/go-p2p/tests/guardpage"
)

// TestXORStaysInsideItsBuffers places text (0 to 1,100 bytes) and nonce at both ends of memory between unmapped
// pages. All implementations must produce the definition's bytes without a fault.
func TestXORStaysInsideItsBuffers(t *testing.T) {
	const longest = 1100
	texts, nonces := guardpage.New(t, longest), guardpage.New(t, nonceLen)
	random := rand.NewChaCha8([32]byte{2})
	original := make([]byte, longest)
	for length := range longest + 1 {
		_, _ = random.Read(original[:length])
		for nonceEnd, memory := range nonces.Ends(nonceLen) {
			_, _ = random.Read(memory)
			nonce := (*[nonceLen]byte)(memory)
			want := bytes.Clone(original[:length])
			definition(want, nonce)
			for textEnd, text := range texts.Ends(length) {
				for _, i := range implementations() {
					copy(text, original)
					if err := guardpage.Fault(func() { i.xor(text, nonce) }); err != nil || !bytes.Equal(text, want) {
						t.Fatalf("%s, %s %d bytes, %s nonce: right bytes %v, %v",
							i.name, textEnd, length, nonceEnd, bytes.Equal(text, want), err)
					}
				}
			}
		}
	}
}
