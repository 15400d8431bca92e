package printable

import (
	"encoding/json"
	"testing"
	"unicode"
)

func TestTextQuotesUnprintable(t *testing.T) {
	for in, want := range map[string]string{
		"alice":          "alice",
		"two words":      "two words",
		"Zoë 🦆":          "Zoë 🦆",
		"\x1b[31mred":    `"\x1b[31mred"`,
		"a\nb":           `"a\nb"`,
		"\u202egnp.exe":  `"\u202egnp.exe"`,
		"\u009b31m":      `"\u009b31m"`,
		"no \xff UTF-8":  `"no \xff UTF-8"`,
		"zero\u200bwide": `"zero\u200bwide"`,
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWordQuotesSpaces(t *testing.T) {
	for in, want := range map[string]string{"": `""`, "a": "a", "a b": `"a b"`, `a"b`: `"a\"b"`} {
		if got := Word(in); got != want {
			t.Errorf("Word(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestLineJoinsLines(t *testing.T) {
	if got, want := Line("yaml: errors:\n  line 1: bad\x1b\n\n"), "yaml: errors; line 1: bad?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutMarksTheRest(t *testing.T) {
	if got := Cut("äöüß", 2); got != "äö…" {
		t.Errorf("got %q", got)
	}
	if got := Cut("äö", 2); got != "äö" {
		t.Errorf("got %q", got)
	}
}

// FuzzJSON checks that JSON returns the same value with printable characters only.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a": "\u001b[2J", "b": [1, "` + "\u202e\u009b\U000e0001" + `"]}`))
	f.Add([]byte(`no JSON` + "\n\x1b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		shown := JSON(raw)
		for _, r := range shown {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q holds %U", shown, r)
			}
		}
		var want, got any
		if json.Unmarshal(raw, &want) != nil {
			return
		}
		if err := json.Unmarshal([]byte(shown), &got); err != nil {
			t.Fatalf("%q is no JSON any more: %v", shown, err)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Fatalf("%s became %s", a, b)
		}
	})
}
