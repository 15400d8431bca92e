//go:build linux

package plainprefix

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/Snider/go-p2p/tests/guardpage"
)

// Texts of 0 to 300 bytes at both ends of memory between unmapped pages, the first byte that does not stand for itself
// at every place: the result is the definition's, and nothing outside is read.
func TestLenStaysInsideItsText(t *testing.T) {
	const longest = 300
	implementations := map[string]func(text []byte) int{
		"chosen": Len,
		"words":  func(text []byte) int { return words(unsafe.String(unsafe.SliceData(text), len(text))) },
	}
	memory := guardpage.New(t, longest)
	for length := range longest + 1 {
		for end, text := range memory.Ends(length) {
			copy(text, bytes.Repeat([]byte("a"), length))
			for at := range length + 1 { // at = length: all stand for themselves
				if at < length {
					text[at] = "\"\\\x00\x1f\x80\xff"[at%6]
				}
				for name, implementation := range implementations {
					var got int
					if err := guardpage.Fault(func() { got = implementation(text) }); err != nil || got != at {
						t.Fatalf("%s, %s %d bytes, an end at %d: %d, %v", name, end, length, at, got, err)
					}
				}
				if at < length {
					text[at] = 'a'
				}
			}
		}
	}
}
