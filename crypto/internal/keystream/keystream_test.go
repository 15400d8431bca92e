package keystream

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

type implementation struct {
	name string
	xor  func(dst []byte, nonce *[nonceLen]byte)
}

// implementations returns all implementations that this CPU can run; fast returns those in assembly.
func implementations() []implementation {
	return append([]implementation{{"definition", definition}, {"portable", portable}, {"default", XOR}}, fast()...)
}

// zeroNonceStream is the first two blocks for the zero nonce, computed with sha256sum.
const zeroNonceStream = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925" +
	"ec4916dd28fc4c10d78e287ca5d9cc51ee1ae73cbfde08c6b37324cbfaac8bc5"

func TestXORMatchesKnownStream(t *testing.T) {
	want, err := hex.DecodeString(zeroNonceStream)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range implementations() {
		got := make([]byte, len(want))
		if i.xor(got, new([nonceLen]byte)); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", i.name, got, want)
		}
	}
}

// TestXORMatchesDefinition covers each length up to 1,100 bytes (two groups of lanes) at varying alignment, and
// checks the bytes around the text.
func TestXORMatchesDefinition(t *testing.T) {
	const longest, around = 1100, 64
	random := rand.NewChaCha8([32]byte{1})
	text := make([]byte, around+longest+around+64)
	var nonce [nonceLen]byte
	for length := range longest + 1 {
		_, _ = random.Read(nonce[:])
		_, _ = random.Read(text)
		start := around + length%64
		want := bytes.Clone(text)
		definition(want[start:][:length], &nonce)
		for _, i := range implementations() {
			got, gotNonce := bytes.Clone(text), nonce
			i.xor(got[start:][:length:length], &gotNonce)
			if !bytes.Equal(got, want) || gotNonce != nonce {
				t.Fatalf("%s differs at %d bytes, nonce %x", i.name, length, nonce)
			}
		}
	}
}

// TestXORCountsBeyond16Bits uses more than 2^16 blocks.
func TestXORCountsBeyond16Bits(t *testing.T) {
	nonce := [nonceLen]byte{23: 1}
	want := make([]byte, 1<<21+500)
	definition(want, &nonce)
	for _, i := range implementations() {
		got := make([]byte, len(want))
		if i.xor(got, &nonce); !bytes.Equal(got, want) {
			t.Errorf("%s differs", i.name)
		}
	}
}

func TestXORAllocatesNothing(t *testing.T) {
	nonce, text := [nonceLen]byte{}, make([]byte, 1000)
	for _, i := range implementations() {
		if raceEnabled && i.name == "portable" {
			continue // with -race the standard library allocates, and pools drop values at random
		}
		if n := testing.AllocsPerRun(100, func() { i.xor(text, &nonce) }); n != 0 {
			t.Errorf("%s: %v allocations", i.name, n)
		}
	}
	// Arrays of the caller must not escape to the heap.
	if n := testing.AllocsPerRun(100, func() {
		var local [100]byte
		var nonce [nonceLen]byte
		XOR(local[:], &nonce)
	}); n != 0 {
		t.Errorf("with local arrays: %v allocations", n)
	}
}

// TestHasherReadsSums fails if a Go release changes the layout of the hash state. XOR then still works, more slowly.
func TestHasherReadsSums(t *testing.T) {
	if !readable {
		t.Error("cannot read sums from the state of crypto/sha256: portable falls back to definition")
	}
	h := newHasher()
	h.state = nil
	if _, ok := h.sum(0); ok {
		t.Error("sum returned ok without a state to read")
	}
}

func FuzzXOR(f *testing.F) {
	f.Add([]byte("nonce"), []byte("text"), uint(3))
	f.Add(bytes.Repeat([]byte{0xff}, nonceLen), make([]byte, 1100), uint(0))
	f.Fuzz(func(t *testing.T, nonceBytes, text []byte, from uint) {
		var nonce [nonceLen]byte
		copy(nonce[:], nonceBytes)
		start := int(from % uint(len(text)+1))
		want := bytes.Clone(text)
		definition(want[start:], &nonce)
		for _, i := range implementations() {
			got := bytes.Clone(text)
			i.xor(got[start:], &nonce)
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs from byte %d on", i.name, start)
			}
			if i.xor(got[start:], &nonce); !bytes.Equal(got, text) {
				t.Errorf("%s does not undo itself", i.name)
			}
		}
	})
}

func BenchmarkXOR(b *testing.B) {
	var nonce [nonceLen]byte
	for _, size := range []int{64, 256, 400, 1 << 10, 16 << 10} {
		for _, i := range implementations() {
			b.Run(fmt.Sprintf("%s/%d", i.name, size), func(b *testing.B) {
				text := make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					i.xor(text, &nonce)
				}
				blocks := float64(b.N) * float64((size+blockLen-1)/blockLen)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/blocks, "ns/block")
			})
		}
	}
}
