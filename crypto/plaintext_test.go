package crypto

import (
	"bytes"
	"errors"
	"strings"
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
		rest, skipped, _, err := Plaintext(bytes.Clone(plaintext)).Body(skip)
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
		body, _, _, err := Plaintext(plaintext).Body(0)
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
		body, skipped, _, err := Plaintext(plaintext).Body(2)
		if !errors.Is(err, ErrPlaintext) || body != nil || skipped != 0 || bytes.Contains(plaintext, []byte("body")) {
			t.Errorf("%q: %q, %d, %v, left %q", rest, body, skipped, err, plaintext)
		}
	}
}

// What everybody writes is taken in a shorter way: with the same result as with a space in it, which goes the long one.
func TestUsualPlaintext(t *testing.T) {
	ends := []string{
		`","timestamp":1773234159}`, `","timestamp":1}`, `","timestamp":0}`, `","timestamp":-5}`, `","timestamp":01}`, `","timestamp":}`,
		`","timestamp":123456789012345678}`, `","timestamp":9223372036854775807}`, `","timestamp":9223372036854775808}`,
		`","timestamp":1e3}`, `","timestamp":1.5}`, `","timestamp":12a}`, `","timestamp":1 }`, `","timestamp":1}}`, `","timestamp":1`,
		`","timestamp":1} `, `","timestamp":1}x`, `","Timestamp":1}`, `","timestamp":"1"}`, `","timestamp":1,"subject":"s"}`,
		`","timestamp":1,"body":"b"}`, `","a":[{"b":null}],"timestamp":1}`, `","timestamp":1,}`, `",}`, `","a"}`, `"}`, `" }`, `"`, ``,
		`","a":` + strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting) + `}`,
		`","a":` + strings.Repeat("[", maxNesting-1) + strings.Repeat("]", maxNesting-1) + `}`,
	}
	taken := 0
	for _, body := range []string{`a`, `a\"b`, `a\u0041`, ``, "\n", `,\"timestamp\":1}`} {
		for _, end := range ends {
			got, skipped, _, err := Plaintext(`{"body":"` + body + end).Body(0)
			want, _, _, wantErr := Plaintext(`{ "body":"` + body + end).Body(0)
			if string(got) != string(want) || skipped != 0 || (err == nil) != (wantErr == nil) {
				t.Errorf("%s%s: %q, %v; want %q, %v", body, end, got, err, want, wantErr)
			}
			if usual, _ := (&scanner{text: []byte(end), at: min(len(end), 1)}).usualEnd(); usual {
				taken++
			}
		}
	}
	if taken != 3*6 {
		t.Errorf("%d ends were taken the short way, want the three with up to 18 digits of six bodies", taken)
	}
}
