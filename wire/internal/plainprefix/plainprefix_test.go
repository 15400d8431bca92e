package plainprefix

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// definition implements Len byte by byte.
func definition(text []byte) int {
	for i, c := range text {
		if c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(text)
}

// check tests all implementations on a text whose memory continues with plain bytes.
func check(t *testing.T, text []byte) {
	t.Helper()
	want := definition(text)
	text = append(text, bytes.Repeat([]byte("a"), 70)...)[:len(text):len(text)]
	if got := Len(text); got != want {
		t.Fatalf("Len(%q) = %d, want %d", text, got, want)
	}
	if got := LenString(string(text)); got != want {
		t.Fatalf("LenString(%q) = %d, want %d", text, got, want)
	}
	if got := words(string(text)); got != want {
		t.Fatalf("words(%q) = %d, want %d", text, got, want)
	}
}

// TestLenMatchesDefinitionInWords tests each byte at each offset in a word, with each next byte, from which a borrow
// could come.
func TestLenMatchesDefinitionInWords(t *testing.T) {
	for c := range 256 {
		for next := range 256 {
			for at := range 8 {
				text := []byte("aaaaaaaaaaaaaaaaaaa")
				text[at], text[at+1] = byte(c), byte(next)
				check(t, text)
			}
		}
	}
	for n := range 20 {
		check(t, make([]byte, n))
	}
}

// TestLenMatchesDefinitionInBlocks tests each byte at each offset of texts that are long enough for blocks.
func TestLenMatchesDefinitionInBlocks(t *testing.T) {
	for _, size := range []int{36, 47, 48, 63, 64, 71, 72, 79, 80, 100, 103, 104, 105, 137, 200} {
		text := []byte(strings.Repeat("a", size))
		for at := range text {
			for c := range 256 {
				text[at] = byte(c)
				check(t, text)
			}
			text[at] = 'a'
		}
	}
}

func TestLenAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var text [200]byte
		Len(text[:])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLen(f *testing.F) {
	f.Add([]byte("aé"), uint8(70))
	f.Fuzz(func(t *testing.T, piece []byte, before uint8) {
		check(t, append(bytes.Repeat([]byte("b"), int(before)), piece...))
	})
}

func BenchmarkLen(b *testing.B) {
	for _, size := range []int{36, 64, 256, 16 << 10} {
		text := bytes.Repeat([]byte("a"), size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				Len(text)
			}
		})
	}
}
