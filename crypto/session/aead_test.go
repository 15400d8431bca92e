package session

import (
	"slices"
	"testing"
)

func TestNamesOfCiphersParse(t *testing.T) {
	for _, aead := range bothAEADs {
		if got, ok := ParseAEAD(aead.String()); got != aead || !ok {
			t.Errorf("%v: %v, %v", aead, got, ok)
		}
	}
	for _, text := range []string{"", "AES256GCM", "aes128gcm", "aead(0)", "aes256gcm "} {
		if got, ok := ParseAEAD(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
	if text := AEAD(7).String(); text != "aead(7)" {
		t.Error(text)
	}
}

func TestChooseFollowsOrderAndHardware(t *testing.T) {
	const gcm, chacha = "aes256gcm", "chacha20poly1305"
	tests := []struct {
		offered       []string
		with, without AEAD // hardware for GCM
		ok            bool
	}{
		{[]string{gcm, chacha}, AES256GCM, ChaCha20Poly1305, true},
		{[]string{chacha, gcm}, ChaCha20Poly1305, ChaCha20Poly1305, true},
		{[]string{gcm}, AES256GCM, AES256GCM, true},
		{[]string{"x", gcm, "", chacha}, AES256GCM, ChaCha20Poly1305, true},
		{[]string{"x", "AES256GCM"}, 0, 0, false},
		{nil, 0, 0, false},
	}
	for _, tt := range tests {
		for hardware, want := range map[bool]AEAD{true: tt.with, false: tt.without} {
			if got, ok := choose(tt.offered, hardware); got != want || ok != tt.ok {
				t.Errorf("%q, hardware %v: %v, %v", tt.offered, hardware, got, ok)
			}
		}
	}
	if got := preferred(true); !slices.Equal(got, []AEAD{AES256GCM, ChaCha20Poly1305}) {
		t.Error(got)
	}
	if got := preferred(false); !slices.Equal(got, []AEAD{ChaCha20Poly1305, AES256GCM}) {
		t.Error(got)
	}
	if got, ok := Choose([]string{gcm, chacha}); !ok || got != Preferred()[0] {
		t.Error(got, ok)
	}
}
