package peerbook

import (
	"errors"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

func TestBookAuthorizesByModeAndKey(t *testing.T) {
	book := New()
	key, other := testKey(t, 1), testKey(t, 2)
	near := key
	near[0] ^= 1 // 31 bytes are the same
	check := func(step string, wantKey, wantOther, wantNear bool) {
		t.Helper()
		for k, want := range map[crypto.PublicKey]bool{key: wantKey, other: wantOther, near: wantNear} {
			if got := book.Authorized(k); got != want {
				t.Errorf("%s: key %s authorized %v, want %v", step, k, got, want)
			}
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	check("open", true, true, true)
	must(book.Revoke(key))
	check("revoked in open mode", false, true, true)
	must(book.SetAuthMode(AuthAllowlist))
	check("empty allowlist", false, false, false)
	must(book.Allow(key, other))
	check("both listed", true, true, false)
	must(book.Revoke(other))
	check("one revoked", true, false, false)
	if !book.Allowed(key) || book.Allowed(other) || book.Allowed(near) {
		t.Error("the allowlist holds another key than the one allowed")
	}
	must(book.UseAuthMode(AuthOpen))
	check("open for this run", true, false, true)
	if mode, stored := book.StoredAuthMode(); mode != AuthAllowlist || !stored || book.AuthMode() != AuthOpen {
		t.Errorf("stored %v (%v), in use %v", mode, stored, book.AuthMode())
	}
}

// The book refuses keys that no peer can have, and values that are no mode.
func TestBookRefusesImpossibleValues(t *testing.T) {
	book := New()
	for _, key := range []crypto.PublicKey{{}, {1}} {
		if err := book.Allow(key); !errors.Is(err, crypto.ErrPublicKey) || book.Allowed(key) {
			t.Errorf("Allow: %v", err)
		}
		if err := book.Revoke(key); !errors.Is(err, crypto.ErrPublicKey) || book.Revoked(key) {
			t.Errorf("Revoke: %v", err)
		}
	}
	if err := book.UseAuthMode(AuthAllowlist); err != nil {
		t.Error(err)
	}
	for _, mode := range []AuthMode{-1, 2, 77} {
		for name, err := range map[string]error{
			"SetAuthMode": book.SetAuthMode(mode), "UseAuthMode": book.UseAuthMode(mode),
		} {
			if !errors.Is(err, ErrAuthMode) || book.AuthMode() != AuthAllowlist {
				t.Errorf("%s(%d): %v, mode in force %v", name, mode, err, book.AuthMode())
			}
		}
	}
}

func TestParseAuthModeReadsItsText(t *testing.T) {
	for _, mode := range []AuthMode{AuthOpen, AuthAllowlist} {
		if got, err := ParseAuthMode(mode.String()); err != nil || got != mode {
			t.Errorf("%v: %v, %v", mode, got, err)
		}
	}
	if _, err := ParseAuthMode("closed"); err == nil {
		t.Error("closed is a mode")
	}
}

func keysOf(keys ...crypto.PublicKey) []crypto.PublicKey { return keys }
