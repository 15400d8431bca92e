package report

import "regexp"

// The texts that an archive must not contain, with their replacements.
var (
	keys      = regexp.MustCompile(`[A-Za-z0-9+/_-]{43}=`) // 32 bytes in base64: a key, public or private
	passwords = regexp.MustCompile(`(://)[^/?#\s"'\\]*@`)  // user and password in a URL, to the last @ of the host
	queries   = regexp.MustCompile(`(\w://[^\s"'?]*\?)[^\s"'\\#]+`)

	// arguments are those of a function in a dump of goroutines: words that may hold parts of any value.
	arguments = regexp.MustCompile(`(?m)^([^\s].*)\((?:0x|\{|\.\.\.|_)[^\n]*\)$`)
)

// Scrub returns a text without keys, and without users, passwords and queries in URLs: a query may hold a token.
func Scrub(text []byte) []byte {
	text = keys.ReplaceAll(text, []byte("[key]"))
	text = passwords.ReplaceAll(text, []byte("${1}[removed]@"))
	return queries.ReplaceAll(text, []byte("${1}[removed]"))
}

// WithoutArguments returns a dump of goroutines without the arguments of functions.
func WithoutArguments(dump []byte) []byte {
	return arguments.ReplaceAll(dump, []byte("${1}(...)"))
}
