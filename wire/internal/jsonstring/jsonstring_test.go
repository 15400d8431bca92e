package jsonstring

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

type implementation struct {
	name     string
	escape   func(dst, text []byte) (read, written int)
	unescape func(text []byte, to, at int) (newTo, newAt int)
}

// implementations returns all implementations that this CPU can run; fast returns those in assembly.
func implementations() []implementation {
	return append([]implementation{{"words", escapeWords, unescapeWords}, {"default", Escape, Unescape}}, fast()...)
}

// escapeBytes implements Escape byte by byte, into a buffer of sufficient size.
func escapeBytes(text []byte) (read int, out []byte) {
	for ; read < len(text) && text[read] >= ' '; read++ {
		if c := text[read]; c == '"' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, text[read])
	}
	return read, out
}

// unescapeBytes implements Unescape byte by byte.
func unescapeBytes(text []byte) (read int, out []byte) {
	for read < len(text) {
		c := text[read]
		if c == '\\' && read+1 < len(text) && text[read+1] == '"' {
			read++
		} else if c < ' ' || c == '"' || c == '\\' {
			break
		}
		out = append(out, text[read])
		read++
	}
	return read, out
}

// guard is the number of bytes on each side of a buffer that are checked for writes.
const guard = 70

func fence(n int) []byte { return bytes.Repeat([]byte{0xaa}, n) }

// check compares all implementations with escapeBytes and unescapeBytes.
func check(t *testing.T, text []byte, room, gap int) {
	t.Helper()
	for _, i := range implementations() {
		checkEscape(t, i, text, room)
		checkUnescape(t, i, text, gap)
	}
}

// checkEscape escapes text into a buffer of room bytes.
func checkEscape(t *testing.T, i implementation, text []byte, room int) {
	t.Helper()
	memory := fence(guard + room + guard)
	input := slices.Concat(fence(guard), text, fence(guard))
	read, written := i.escape(memory[guard:][:room:room], input[guard:][:len(text):len(text)])

	all, _ := escapeBytes(text)
	known, want := escapeBytes(text[:read])
	if known != read || string(memory[guard:][:written]) != string(want) || read < all && room-written >= Room {
		t.Fatalf("%s escapes %q to %q, room for %d, read %d of %d", i.name, text, memory[guard:][:written], room, read, all)
	}
	if !bytes.Equal(memory[:guard], fence(guard)) || !bytes.Equal(memory[guard+room:], fence(guard)) ||
		!bytes.Equal(input[guard:guard+len(text)], text) {
		t.Fatalf("%s writes outside its buffer: %q, room for %d", i.name, text, room)
	}
}

// checkUnescape unescapes text and moves it down by gap bytes.
func checkUnescape(t *testing.T, i implementation, text []byte, gap int) {
	t.Helper()
	read, want := unescapeBytes(text)
	memory := slices.Concat(fence(guard), fence(gap), text, fence(guard))
	to, at := i.unescape(memory[guard:len(memory)-guard:len(memory)-guard], 0, gap)
	if at-gap != read || string(memory[guard:][:to]) != string(want) {
		t.Fatalf("%s takes %d bytes of %q for %q; want %d, %q", i.name, at-gap, text, memory[guard:][:to], read, want)
	}
	if !bytes.Equal(memory[:guard], fence(guard)) ||
		string(memory[guard+at:]) != string(text[read:])+string(fence(guard)) {
		t.Fatalf("%s writes after the bytes read: %q", i.name, text)
	}
}

// TestBytesRoundTripAtEachOffset tests each byte at the ends of words and blocks, alone and before bytes that could
// form an escape with it.
func TestBytesRoundTripAtEachOffset(t *testing.T) {
	for c := range 256 {
		for _, beside := range []string{"", `"`, `\`, `\"`, `\\`, "\x00", "\x1f", "!", "#", "[", "]", "\x80", "\xff"} {
			for _, before := range []int{0, 1, 6, 7, 8, 30, 31, 32, 33, 61, 62, 63, 64, 65, 127} {
				text := []byte(strings.Repeat("a", before) + string([]byte{byte(c)}) + beside + strings.Repeat("b", c%70))
				check(t, text, 2*len(text)+Room, c%3*before)
			}
		}
	}
}

// TestRandomTextsRoundTrip combines escapes, quotes, backslashes and plain runs in random order and buffer sizes.
func TestRandomTextsRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{`\"`, `\"`, `\"`, `"`, `\`, "\n", "é", "x", strings.Repeat("y", 20), strings.Repeat("z", 70)}
	for range 50_000 {
		var text []byte
		most := 1 + random.IntN(len(pieces))
		for range random.IntN(60) {
			piece := pieces[random.IntN(len(pieces))]
			if random.IntN(most) == 0 {
				piece = pieces[random.IntN(3)+7]
			}
			text = append(text, piece...)
		}
		room := random.IntN(3*len(text) + 2*Room)
		check(t, text, room, random.IntN(100))
	}
}

// TestEscapeAllocatesNothing also requires that arrays of the caller do not escape to the heap.
func TestEscapeAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var out [400]byte
		var text [100]byte
		Escape(out[:], text[:])
		Unescape(text[:], 0, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEscape(f *testing.F) {
	f.Add([]byte(`{\"id\":\"x\\n\"}`), uint8(40), uint16(200), uint8(0))
	f.Add([]byte("\"\\\x00\xff"), uint8(63), uint16(64), uint8(3))
	f.Fuzz(func(t *testing.T, piece []byte, before uint8, room uint16, gap uint8) {
		text := append(bytes.Repeat([]byte("b"), int(before)), piece...)
		check(t, append(text, piece...), int(room), int(gap))
	})
}

func BenchmarkEscape(b *testing.B) {
	object := strings.Repeat(`{"id":"6f0c0f0e-3b0a-4a55-9f0e","a":[1,"b"]}`, 1000)
	for name, text := range map[string]string{
		"256": object[:256], "16384": object[:16<<10], "plain16384": strings.Repeat("x", 16<<10),
	} {
		for _, i := range implementations() {
			out, escaped := make([]byte, 40<<10), make([]byte, 40<<10)
			_, n := i.escape(escaped, []byte(text))
			b.Run("escape/"+i.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				input := []byte(text)
				for b.Loop() {
					i.escape(out, input)
				}
			})
			b.Run("unescape/"+i.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(n))
				for b.Loop() {
					copy(out, escaped[:n])
					i.unescape(out[:n], 0, 0)
				}
			})
		}
	}
}
