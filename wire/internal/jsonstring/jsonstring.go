// Package jsonstring escapes and unescapes the quotes of JSON text that lies inside a
// JSON string (protocol section 4, body). Nearly all that has an escape there is a
// quote, and nearly all else stands for itself: these two are done here, many bytes
// at once, and what is rare is left to the caller.
//
// It is done eight bytes at a time, and on amd64 up to 64 at a time with AVX-512
// where the CPU has its byte compression. The build tag purego leaves only the
// former. Text that is not ASCII stands for itself.
package jsonstring

// Room is how many bytes must be free in Escape's dst for it to go on.
const Room = 64

// Escape writes text to the beginning of dst, a backslash before each quote and
// backslash, and returns how many bytes it has read and written. It stops at the
// end, at a control character, which it leaves unread, and when less than Room
// bytes are free. dst and text must not overlap; what dst holds behind the bytes
// written is undefined.
func Escape(dst, text []byte) (read, written int) { return escape(dst, text) }

// Unescape moves text[at:] down to index to, quotes without the backslash that
// stands before each, and returns the indices behind what it has moved and read.
// It stops at the end and, leaving it unread, at what is neither such a quote nor
// stands for itself: a quote alone, a backslash before anything else, a control
// character. to must not be greater than at. What lies between the indices it
// returns is undefined; what lies behind is as it was.
func Unescape(text []byte, to, at int) (newTo, newAt int) { return unescape(text, to, at) }
