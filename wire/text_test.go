package wire

import (
	"encoding/json"
	"testing"
)

// Every byte at every place of the eight that are tested at a time, between
// neighbours from which a borrow could come.
func TestPlainLen(t *testing.T) {
	plain := func(c byte) bool { return c >= ' ' && c < 0x80 && c != '"' && c != '\\' }
	for c := range 256 {
		for next := range 256 {
			for at := range 8 {
				b := []byte("aaaaaaaaaaaaaaaaaaa")
				b[at], b[at+1] = byte(c), byte(next)
				want := len(b)
				if !plain(byte(c)) {
					want = at
				} else if !plain(byte(next)) {
					want = at + 1
				}
				if got := plainLen(b); got != want {
					t.Fatalf("plainLen(%q) = %d, want %d", b, got, want)
				}
			}
		}
	}
	for n := range 20 {
		if got := plainLen(make([]byte, n)); got != 0 {
			t.Errorf("plainLen of %d NULs = %d", n, got)
		}
	}
}

func TestAppendQuoted(t *testing.T) {
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
		if same, err := MarshalJSON(in); err != nil || string(same) != want {
			t.Errorf("%q: MarshalJSON writes %s, %v", in, same, err)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\x00\"\\\u2028é\xff🚀", "aaaaaaa\"", "aaaaaaaa\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := appendQuoted(nil, s)
		if want, err := MarshalJSON(s); err != nil || string(quoted) != string(want) {
			t.Fatalf("%q: got %s, encoding/json writes %s, %v", s, quoted, want, err)
		}
		// And s as somebody else's JSON.
		raw := []byte(`"` + s + `"`)
		end, plain, err := skipString(raw, 0)
		if accepted := err == nil && end == len(raw); accepted != json.Valid(raw) {
			t.Fatalf("%s: accepted = %v, %v", raw, accepted, err)
		} else if !accepted {
			return
		}
		var want string
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		if got := string(appendUnescaped(nil, raw[1:end-1])); got != want {
			t.Fatalf("%s: got %q, encoding/json reads %q", raw, got, want)
		}
		if plain && s != want {
			t.Fatalf("%s is not plain", raw)
		}
	})
}
