//go:build linux

package jsonstring

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/tests/guardpage"
)

const longestGuarded = 300

// guardedTexts returns texts of n bytes: of one kind, of all kinds in random order, and with a last character that
// stops Escape or Unescape.
func guardedTexts(n int, random *rand.Rand) [][]byte {
	var texts [][]byte
	for _, piece := range []string{"x", `"`, `\`, `\"`, "\x80"} {
		texts = append(texts, bytes.Repeat([]byte(piece), n)[:n])
	}
	mixed := make([]byte, n)
	for i := range mixed {
		mixed[i] = `xyz"\"\\ é`[random.IntN(11)]
	}
	texts = append(texts, mixed)
	for _, last := range "\n\"\\" {
		if n > 0 {
			texts = append(texts, slices.Concat(texts[0][:n-1], []byte(string(last))))
		}
	}
	return texts
}

// TestEscapeStaysInsideItsBuffers places texts of 0 to 300 bytes and buffers of different sizes at both ends of
// memory between unmapped pages. All implementations must escape like escapeBytes, without a fault, and stop only for
// lack of space.
func TestEscapeStaysInsideItsBuffers(t *testing.T) {
	texts, rooms := guardpage.New(t, longestGuarded), guardpage.New(t, 2*longestGuarded+Room)
	random := rand.New(rand.NewPCG(3, 4))
	for n := range longestGuarded + 1 {
		for _, original := range guardedTexts(n, random) {
			read, want := escapeBytes(original)
			for _, room := range []int{0, 1, Room - 1, Room, Room + 1, n, n + Room, len(want) + Room} {
				for _, text := range texts.Ends(n) {
					copy(text, original)
					for _, dst := range rooms.Ends(room) {
						for _, i := range implementations() {
							escapeGuarded(t, i, dst, text, read, want)
						}
					}
				}
			}
		}
	}
}

// escapeGuarded requires a prefix of want, the escaped form of text[:all], and all of want if dst has sufficient space.
func escapeGuarded(t *testing.T, i implementation, dst, text []byte, all int, want []byte) {
	t.Helper()
	var read, written int
	if err := guardpage.Fault(func() { read, written = i.escape(dst, text) }); err != nil {
		t.Fatalf("%s escapes %q, room for %d: %v", i.name, text, len(dst), err)
	}
	known, some := escapeBytes(text[:read])
	if known != read || !bytes.Equal(dst[:written], some) || read < all && len(dst)-written >= Room {
		t.Fatalf("%s escapes %q to %q, room for %d, want %q", i.name, text, dst[:written], len(dst), want)
	}
}

// TestUnescapeStaysInsideItsBuffer is TestEscapeStaysInsideItsBuffers for Unescape, moving texts down by 0 to 100
// bytes.
func TestUnescapeStaysInsideItsBuffer(t *testing.T) {
	memory := guardpage.New(t, longestGuarded+100)
	random := rand.New(rand.NewPCG(5, 6))
	for n := range longestGuarded + 1 {
		for _, original := range guardedTexts(n, random) {
			read, want := unescapeBytes(original)
			for _, gap := range []int{0, 1, 7, 8, 31, 63, 64, 65, 100} {
				for _, text := range memory.Ends(gap + n) {
					for _, i := range implementations() {
						copy(text[gap:], original)
						var to, at int
						err := guardpage.Fault(func() { to, at = i.unescape(text, 0, gap) })
						if err != nil || at-gap != read || !bytes.Equal(text[:to], want) || !bytes.Equal(text[at:], original[read:]) {
							t.Fatalf("%s unescapes %q to %q, moved by %d, want %q: %v", i.name, original, text[:to], gap, want, err)
						}
					}
				}
			}
		}
	}
}
