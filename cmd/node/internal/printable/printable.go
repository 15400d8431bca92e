// Package printable makes text from peers, files and users safe to show in a terminal and easy to read on one line:
// what could move the cursor, change colours or turn the direction of writing is shown as an escape.
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

// Text returns s as it is when every character of it can be seen, else quoted as in Go.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, hidden) {
		return s
	}
	return strconv.Quote(s)
}

// Word is Text for a place where the empty text and inner spaces would be misread: those are quoted too.
func Word(s string) string {
	if s == "" || strings.ContainsAny(s, " \"") {
		return strconv.Quote(s)
	}
	return Text(s)
}

// Line returns s on one line: line breaks and what is around them become "; ", other control characters a "?".
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

// JSON returns the JSON text on one line with every character that cannot be seen as a \u escape: the same value.
func JSON(raw []byte) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return strconv.Quote(string(raw))
	}
	var b strings.Builder
	for _, r := range compact.String() {
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
	return b.String()
}

// Cut returns the first n characters of s, with a mark when there was more.
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
