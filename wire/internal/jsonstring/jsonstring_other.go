//go:build !amd64 || purego

package jsonstring

func escape(dst, text []byte) (read, written int) { return escapeWords(dst, text) }

func unescape(text []byte, to, at int) (newTo, newAt int) { return unescapeWords(text, to, at) }
