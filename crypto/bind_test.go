package crypto

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// TestNewBindMatchesIndependentValues expects values computed with Python's hashlib from protocol section 7.
func TestNewBindMatchesIndependentValues(t *testing.T) {
	for role, want := range map[Side]string{
		Initiator: "nJ4i9M1moz5JJdHxsm7lpHr2OdaQjeDYbSAQNMaAYck=",
		Responder: "oxFwFRfMw6HLiYiqAO3sWM6wsm7MVX8houJQAk/hIdc=",
	} {
		if got := NewBind(role, []byte("handshake"), []byte("handshake_ack")); string(got[:]) != want {
			t.Errorf("role %c: %s, want %s", role, got[:], want)
		}
	}
}

// TestIsOwnChallengeAcceptsKeyHolders expects a value computed with Python's hmac module from protocol section 7.
func TestIsOwnChallengeAcceptsKeyHolders(t *testing.T) {
	key := make([]byte, KeySize)
	for i := range key {
		key[i] = byte(i + 1)
	}
	manager := func(key []byte) *NodeManager {
		m, err := NodeManagerFromPrivateKey(key, "a", RoleDual, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	own, sameKey := manager(key), manager(key)
	c, err := own.NewChallenge(strings.NewReader("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "cf218c11d5c3ac8e16c7c8783f5c2660"
	if got := string(c[:16]); got != "0123456789abcdef" {
		t.Errorf("random part %q", got)
	}
	if got := hex.EncodeToString(c[16:]); got != want {
		t.Errorf("HMAC part %s, want %s", got, want)
	}
	if !own.IsOwnChallenge(c) || !sameKey.IsOwnChallenge(c) {
		t.Error("a key holder does not recognise the challenge")
	}
	other := bytes.Clone(key)
	other[31] ^= 4
	if manager(other).IsOwnChallenge(c) || (&NodeManager{}).IsOwnChallenge(c) {
		t.Error("another key recognises the challenge")
	}
	for i := range c {
		changed := c
		changed[i] ^= 1
		if own.IsOwnChallenge(changed) {
			t.Errorf("byte %d is not checked", i)
		}
	}
}
