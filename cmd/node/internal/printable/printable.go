// Package printable makes text from peers, files and users safe to show on one line of a terminal. It escapes
// characters that move the cursor, change colours or reverse the writing direction.
package printable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns s unchanged if it is valid UTF-8 of printable characters, else as a quoted Go string.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, hidden) {
		return s
	}
	return strconv.Quote(s)
}

// Word is Text that also quotes the empty string and strings with spaces or quotes.
func Word(s string) string {
	if s == "" || strings.ContainsAny(s, " \"") {
		return strconv.Quote(s)
	}
	return Text(s)
}

// Line returns s on one line: a line break with the white space around it becomes "; ", any other unprintable character
// becomes "?".
func Line(s string) string {
	var parts []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, strings.TrimSuffix(part, ":"))
		}
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return '?'
		}
		return r
	}, strings.Join(parts, "; "))
}

// JSON returns raw on one line, with unprintable characters as \u escapes. The value stays the same. Invalid JSON is
// quoted as a Go string.
func JSON(raw []byte) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return strconv.Quote(string(raw))
	}
	return string(EscapeJSON(compact.Bytes()))
}

// EscapeJSON returns valid compact JSON with unprintable characters as \u escapes: a terminal obeys some that JSON
// allows, such as U+009B. The value stays the same. Without such characters it returns raw.
func EscapeJSON(raw []byte) []byte {
	if !bytes.ContainsFunc(raw, hidden) {
		return raw
	}
	var b bytes.Buffer
	for _, r := range string(raw) {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

// Cut returns the first n characters of s, followed by "…" if s is longer.
func Cut(s string, n int) string {
	seen := 0
	for i := range s {
		if seen == n {
			return s[:i] + "…"
		}
		seen++
	}
	return s
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }
