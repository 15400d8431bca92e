package crypto

import (
	"bytes"
	"errors"
	"testing"
)

// checkSkips skips every beginning of a body that may be skipped. body is what comes without.
func checkSkips(t *testing.T, plaintext, body []byte) (skips int) {
	t.Helper()
	escaped := Plaintext(plaintext).Escaped()
	for skip, length := 0, 0; skip < len(escaped); length++ { // length is what it stands for
		switch c := escaped[skip]; {
		case c == '\\' && len(escaped) > skip+1 && escaped[skip+1] == '"':
			skip += 2
		case ' ' <= c && c <= '~' && c != '"' && c != '\\':
			skip++
		default:
			return skips
		}
		rest, skipped, err := Plaintext(bytes.Clone(plaintext)).Body(skip)
		want := body
		if skipped != 0 { // else it is of a second key
			want = body[length+1:]
			skips++
		}
		if err != nil || skipped != 0 && skipped != skip || string(rest) != string(want) {
			t.Fatalf("%q without %q: %q, %d, %v; want %q", plaintext, escaped[:skip], rest, skipped, err, want)
		}
	}
	return skips
}

func TestBodySkips(t *testing.T) {
	for plaintext, want := range map[string]struct {
		body  string
		skips int
	}{
		`{"body":"{\"id\":\"a\\n\"}","timestamp":1}`: {`{"id":"a\n"}`, 8},
		`{"body":"abc"}`:                 {`abc`, 3},
		`{"body":"aé\u0041"}`:            {`aéA`, 1},
		`{"body":"\n"}`:                  {"\n", 0},
		`{"body":"ab","body":"cde"}`:     {`cde`, 0},
		`{"body":"ab","body":"c\u0041"}`: {`cA`, 0},
		`{"timestamp":1,"body":"ab"}`:    {`ab`, 0},
		`{ "body":"ab"}`:                 {`ab`, 0},
	} {
		body, _, err := Plaintext(plaintext).Body(0)
		if err != nil || string(body) != want.body {
			t.Errorf("%s: %q, %v", plaintext, body, err)
			continue
		}
		if skips := checkSkips(t, []byte(plaintext), body); skips != want.skips {
			t.Errorf("%s: %d skips, want %d", plaintext, skips, want.skips)
		}
	}
}

// A beginning that was looked at makes nothing valid, and leaves nothing behind.
func TestBodySkipsRefused(t *testing.T) {
	for _, rest := range []string{``, `"`, `\x"}`, "\xff\"}", "\n\"}", `","timestamp":1.5}`, `"} 1`, `","body":""}`, `","body":1}`} {
		plaintext := []byte(`{"body":"ab` + rest)
		body, skipped, err := Plaintext(plaintext).Body(2)
		if !errors.Is(err, ErrPlaintext) || body != nil || skipped != 0 || bytes.Contains(plaintext, []byte("body")) {
			t.Errorf("%q: %q, %d, %v, left %q", rest, body, skipped, err, plaintext)
		}
	}
}
