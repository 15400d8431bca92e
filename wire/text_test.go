package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/wire/internal/plainprefix"
)

// byEncodingJSON returns the expected result of MarshalJSON.
func byEncodingJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// isPlain reports whether c belongs to a plain prefix.
func isPlain(c byte) bool { return c >= ' ' && c < 0x80 && c != '"' && c != '\\' }

func TestAppendQuotedMatchesEncodingJSON(t *testing.T) {
	tests := map[string]string{
		"":                    `""`,
		"plain":               `"plain"`,
		`<b>&amp; "q" \ /`:    `"<b>&amp; \"q\" \\ /"`,
		"\b\f\n\r\t\x00\x1f~": `"\b\f\n\r\t\u0000\u001f~"`,
		"\x7f":                "\"\x7f\"",
		"\u2027\u2028\u2029":  "\"\u2027\\u2028\\u2029\"",
		"日本語🚀":                `"日本語🚀"`,
		"\xff\xe2\x80\ufffd.": `"\ufffd\ufffd\ufffd` + "\ufffd" + `."`,
	}
	for in, want := range tests {
		if got := string(appendQuoted([]byte("kept "), in)); got != "kept "+want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
		if same, err := byEncodingJSON(in); err != nil || string(same) != want {
			t.Errorf("%q: encoding/json writes %s, %v", in, same, err)
		}
	}
}

func FuzzText(f *testing.F) {
	for i, s := range []string{"", "plain", "\x00\"\\\u2028é\xff🚀", "aaaaaaa\"", "aaaaaaaa\xed\xa0\x80"} {
		f.Add(s, uint8(i*23))
	}
	f.Fuzz(func(t *testing.T, s string, run uint8) {
		s = strings.Repeat("r", int(run)) + s + strings.Repeat("s", int(run/2)) + s // long enough for blocks
		quoted, err := MarshalJSON(s)
		if want, wantErr := byEncodingJSON(s); err != nil || wantErr != nil || string(quoted) != string(want) {
			t.Fatalf("%q: got %s, %v, encoding/json writes %s, %v", s, quoted, err, want, wantErr)
		}
		want := strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !isPlain(byte(r)) })
		if got := plainprefix.Len([]byte(s)); got != want && want >= 0 {
			t.Fatalf("plainprefix.Len(%q) = %d, want %d", s, got, want)
		}
		// s as raw input of a peer.
		raw := []byte(`"` + s + `"`)
		end, plain, err := skipString(raw, 0)
		if accepted := err == nil && end == len(raw); accepted != json.Valid(raw) {
			t.Fatalf("%s: accepted = %v, %v", raw, accepted, err)
		} else if !accepted {
			return
		}
		var decoded string
		if err := json.Unmarshal(raw, &decoded); err != nil {
			t.Fatal(err)
		}
		if got := string(appendUnescaped(nil, raw[1:end-1])); got != decoded {
			t.Fatalf("%s: got %q, encoding/json reads %q", raw, got, decoded)
		}
		if plain && s != decoded {
			t.Fatalf("%s is not plain", raw)
		}
	})
}
