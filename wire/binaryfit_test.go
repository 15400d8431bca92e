package wire

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestBinaryCodeInvertsBinaryTypes compares the two lists of codes.
func TestBinaryCodeInvertsBinaryTypes(t *testing.T) {
	for code, kind := range binaryTypes {
		if got := binaryCode(kind); int(got) != code {
			t.Errorf("%q has the code %d, want %d", kind, got, code)
		}
	}
	if got := binaryCode("ping2"); got != 0 {
		t.Errorf("a type without a code has the code %d", got)
	}
}

// TestBinaryTimeEndsAtItsNanosecond tries the first and the last time of the binary form, and their neighbours.
func TestBinaryTimeEndsAtItsNanosecond(t *testing.T) {
	first, last := time.Unix(0, math.MinInt64).UTC(), time.Unix(0, math.MaxInt64).UTC()
	for _, c := range []struct {
		t    time.Time
		want bool
	}{
		{first, true},
		{first.Add(-1), false},
		{first.Add(time.Second), true},
		{first.Add(-time.Second), false},
		{last, true},
		{last.Add(1), false},
		{last.Add(-time.Second), true},
		{last.Add(time.Second), false},
	} {
		if got := hasBinaryTime(c.t); got != c.want {
			t.Errorf("%v: %v", c.t, got)
		}
	}
}

// TestValidTextAgreesWithUTF8 places a byte or a character at each offset of texts of 0 to 40 bytes.
func TestValidTextAgreesWithUTF8(t *testing.T) {
	for length := range 41 {
		plain := strings.Repeat("a", length)
		for _, insert := range []string{"", "\x7f", "\x80", "\xff", "\xc3", "é", "€", "\xed\xa0\x80", "\x00"} {
			for at := range length + 1 {
				text := plain[:at] + insert + plain[at:]
				if got, want := validText(text), utf8.ValidString(text); got != want {
					t.Fatalf("%q: %v, want %v", text, got, want)
				}
			}
		}
	}
}
