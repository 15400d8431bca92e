package wire

import (
	"strings"
	"testing"
)

func TestParseUUIDAcceptsCanonicalFormOnly(t *testing.T) {
	id, ok := ParseUUID(testUUID)
	if !ok || string(id[:]) != uuidForm {
		t.Fatalf("got %x, %v", id, ok)
	}
	for i := range testUUID {
		for c := range 256 {
			text := testUUID[:i] + string([]byte{byte(c)}) + testUUID[i+1:]
			digit := strings.IndexByte("0123456789abcdef", byte(c)) >= 0
			id, ok := ParseUUID(text)
			if want := (testUUID[i] == '-') == (c == '-') && (c == '-' || digit); ok != want {
				t.Fatalf("%q: %v", text, ok)
			}
			if !ok {
				continue
			}
			var again [uuidText]byte
			if putUUID(&again, &id); string(again[:]) != text {
				t.Fatalf("%q became %q", text, again)
			}
		}
	}
	for _, text := range []string{"", testUUID[1:], testUUID + "0", strings.ReplaceAll(testUUID, "-", "") + "0000"} {
		if _, ok := ParseUUID(text); ok {
			t.Errorf("%q is accepted", text)
		}
	}
}
