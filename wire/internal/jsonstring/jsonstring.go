// Package jsonstring escapes and unescapes JSON text inside a JSON string (protocol section 4, body). Nearly all
// escapes there are escaped quotes. The package processes quotes, backslashes and characters without escape, many
// bytes at once; it stops at control characters and other escapes, which the caller must process.
//
// It processes eight bytes at a time, or up to 64 on amd64 with AVX-512 VBMI2. The build tag purego excludes the
// assembly. Characters beyond ASCII need no escape.
package jsonstring

// Room is the number of free bytes in dst, in bytes, below which Escape stops.
const Room = 64

// Escape copies text to the beginning of dst, with a backslash before each quote and backslash. It returns the number
// of bytes read and written. It stops at the end of text, before a control character, and if less than Room bytes are
// free in dst. dst and text must not overlap. The content of dst after the written bytes is undefined. Safe for
// concurrent use.
func Escape(dst, text []byte) (read, written int) { return escape(dst, text) }

// Unescape moves text[at:] down to index to and removes the backslash before each quote. It returns the indices after
// the last byte written and read. It stops at the end of text, and before a quote without backslash, a backslash
// before another character, and a control character. to must not exceed at. The bytes between the returned indices
// are undefined; those after newAt are unchanged. Safe for concurrent use with distinct texts.
func Unescape(text []byte, to, at int) (newTo, newAt int) { return unescape(text, to, at) }
