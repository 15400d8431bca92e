//go:build linux

package plainprefix

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/Snider/go-p2p/tests/guardpage"
)

// TestLenStaysInsideItsText places texts of 0 to 300 bytes at both ends of memory between unmapped pages, with the
// end of the plain prefix at each offset. All implementations must return it without a fault.
func TestLenStaysInsideItsText(t *testing.T) {
	const longest = 300
	implementations := map[string]func(text []byte) int{
		"default": Len,
		"words":   func(text []byte) int { return words(unsafe.String(unsafe.SliceData(text), len(text))) },
	}
	memory := guardpage.New(t, longest)
	for length := range longest + 1 {
		for end, text := range memory.Ends(length) {
			copy(text, bytes.Repeat([]byte("a"), length))
			for at := range length + 1 { // at = length: all bytes are plain
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
