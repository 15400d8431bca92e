package mac

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"
)

// text returns n bytes of a pattern without a period of a power of two.
func text(n, seed int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*7%251 + seed)
	}
	return data
}

// Lengths around the block of the hash and around the space on the stack.
var lengths = []int{0, 1, 16, 31, 32, 33, 63, 64, 65, 127, 128, 160, onStack - 1, onStack, onStack + 1, 1000}

func TestSumMatchesStandardLibrary(t *testing.T) {
	for _, keyLength := range lengths {
		for _, length := range lengths {
			key, message := text(keyLength, 1), text(length, 2)
			standard := hmac.New(sha256.New, key)
			standard.Write(message)
			if got := Sum(key, message); !bytes.Equal(got[:], standard.Sum(nil)) {
				t.Errorf("key of %d bytes, message of %d: another MAC", keyLength, length)
			}
			if !bytes.Equal(key, text(keyLength, 1)) || !bytes.Equal(message, text(length, 2)) {
				t.Errorf("key of %d bytes, message of %d: an argument has changed", keyLength, length)
			}
		}
	}
}

func TestExtractAndExpandMatchStandardLibrary(t *testing.T) {
	for _, length := range lengths {
		want, err := hkdf.Extract(sha256.New, text(length, 3), text(Size, 4))
		if got := Extract(text(Size, 4), text(length, 3)); err != nil || !bytes.Equal(got[:], want) {
			t.Errorf("extract of %d bytes differs: %v", length, err)
		}
		for _, size := range []int{0, 1, 31, 32, 33, 44, 64, 65, 255 * Size} {
			info := strings.Repeat("i", length)
			want, err := hkdf.Expand(sha256.New, text(Size, 5), info, size)
			got := make([]byte, size)
			if Expand(text(Size, 5), info, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("expand to %d bytes with an info of %d differs: %v", size, length, err)
			}
		}
	}
}

// The longest inputs of a session: a key of 32 bytes, 160 bytes of key material and 44 bytes of output.
func TestSessionInputsDoNotAllocate(t *testing.T) {
	key, ikm, out := text(Size, 6), text(160, 7), make([]byte, 44)
	if n := testing.AllocsPerRun(100, func() {
		prk := Extract(key, ikm)
		Expand(prk[:], "go-p2p session/1 key iv", out)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkExpand44(b *testing.B) {
	key, out := text(Size, 6), make([]byte, 44)
	for range b.N {
		Expand(key, "go-p2p session/1 key iv", out)
	}
}

func BenchmarkExpand44StandardLibrary(b *testing.B) {
	key := text(Size, 6)
	for range b.N {
		_, _ = hkdf.Expand(sha256.New, key, "go-p2p session/1 key iv", 44)
	}
}
