package wire

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendBodyReplacesInvalidUTF8(t *testing.T) {
	for _, body := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "x\"\xff\xfe\"y", "ok"} {
		want, _ := json.Marshal(body) // as in deployed nodes
		var wanted, got string
		_ = json.Unmarshal(want, &wanted)
		if err := json.Unmarshal([]byte(`"`+string(appendBody(nil, []byte(body)))+`"`), &got); err != nil || got != wanted {
			t.Errorf("%q: %q, want %q, %v", body, got, wanted, err)
		}
	}
	if got := appendBody([]byte("before"), []byte("<\n\x01\">")); string(got) != `before<\n\u0001\">` {
		t.Errorf("%s", got)
	}
}

// TestEscapesRoundTripAtEachOffset puts escapes at each offset of 8-byte words and compares with encoding/json.
func TestEscapesRoundTripAtEachOffset(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(pieces ...string) []byte {
		var text []byte
		for range random.IntN(40) {
			text = append(text, pieces[random.IntN(len(pieces))]...)
		}
		return text
	}
	for range 20_000 {
		body := pick("x", "y", "z", "0", `"`, `\`, pick1(random, "\n", "\x00", "é", "\x7f"))
		escaped := appendBody(nil, body)
		var decoded string
		if err := json.Unmarshal([]byte(`"`+string(escaped)+`"`), &decoded); err != nil || decoded != string(body) {
			t.Fatalf("%q became %s: %v", body, escaped, err)
		}

		written := pick("x", "y", "z", "0", `\"`, `\"`,
			pick1(random, `\\`, `\u0041`, `\ud83d\ude80`, `\/`, "é", "\x01", `"`, `\x`))
		text := []byte(`"` + string(written) + `"` + strings.Repeat(" ", random.IntN(10)))
		wantErr := json.Unmarshal(text, &decoded)
		got, ok := readString(text)
		if ok != (wantErr == nil) || ok && got != decoded {
			t.Fatalf("%s became %q, %v, want %q, %v", text, got, ok, decoded, wantErr)
		}
	}
}

func pick1(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

// readString decodes a JSON string with optional white space after it.
func readString(text []byte) (value string, ok bool) {
	text = bytes.Clone(text)
	got, end, err := unescapeString(text, 0)
	return string(got), err == nil && skipSpace(text, end) == len(text)
}

// oddBodies lists texts that are difficult to encode in a JSON string.
var oddBodies = []string{
	"x", `"`, `\`, `\"`, "\x00", "\x1f\x7f\u0080", "<b>&amp;</b>\u2028\u2029", "日本語 🚀", `\ud83d`,
	"\ufffd", "\ufeff",
	`{"id":"6f0c","payload":{"a":"b\\\"c"}}`, strings.Repeat("x", 7) + `"` + strings.Repeat("y", 8), "\n\r\t\b\f",
	strings.Repeat(`"\`, 1000), strings.Repeat("é", 33),
}

// escapeBytes implements appendBody byte by byte, for valid UTF-8.
func escapeBytes(dst, text []byte) []byte {
	for _, c := range text {
		switch {
		case c < ' ':
			dst = appendEscape(dst, c)
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// checkEscaping compares appendBody with escapeBytes, and unescapeString with encoding/json.
func checkEscaping(t *testing.T, text []byte) {
	t.Helper()
	repaired := []byte(string([]rune(string(text))))
	want := escapeBytes([]byte("before"), repaired)
	escaped := appendBody([]byte("before"), text)
	if !bytes.Equal(escaped, want) {
		t.Fatalf("%q became %s, want %s", text, escaped, want)
	}
	room := append(make([]byte, 0, 6+7*len(repaired)+100), "before"...)
	if escaped = appendBody(room, text); !bytes.Equal(escaped, want) {
		t.Fatalf("%q became %s with room, want %s", text, escaped, want)
	}
	for _, inside := range [][]byte{want[6:], text} { // escaped by appendBody, and as raw input of a peer
		if !utf8.Valid(inside) {
			continue
		}
		written := append(append([]byte(`"`), inside...), `" `...)
		var decoded string
		err := json.Unmarshal(written, &decoded)
		got, ok := readString(written)
		if ok != (err == nil) || ok && got != decoded {
			t.Fatalf("%s became %q, %v, want %q, %v", written, got, ok, decoded, err)
		}
	}
}

// TestEscapesRoundTripBetweenLongRuns tests long texts with and without escapes, at all offsets in words and blocks.
func TestEscapesRoundTripBetweenLongRuns(t *testing.T) {
	for _, odd := range []string{
		`"`, `\`, `\"`, `\\`, `\n`, "\n", "é", "\xff", `\u0041`, `","`, `\",\"`, `\\\"`, `\\\\\"`,
	} {
		for before := range 160 {
			for _, after := range []int{0, 1, 7, 8, 9, 39, 40, 41, 64, 109} {
				text := strings.Repeat("b", before) + odd + strings.Repeat("a", after)
				checkEscaping(t, []byte(text))
				checkEscaping(t, []byte(text+odd))
			}
		}
	}
}

func FuzzEscaping(f *testing.F) {
	for i, body := range oddBodies {
		f.Add([]byte(body), uint8(i*11), uint8(i*29))
	}
	f.Fuzz(func(t *testing.T, piece []byte, before, between uint8) {
		text := bytes.Repeat([]byte("b"), int(before))
		text = append(append(text, piece...), bytes.Repeat([]byte("t"), int(between))...)
		checkEscaping(t, append(text, piece...))
	})
}
