package crypto

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/Snider/Borg/pkg/stmf"
)

func TestKeysMatchTheVectors(t *testing.T) {
	var keys keyVectors
	readVectors(t, "keys.json", &keys)
	var managers []*NodeManager
	for _, want := range keys.Identities {
		m, err := NodeManagerFromPrivateKey(want.PrivateKey, want.Name, RoleWorker, someTime)
		if err != nil {
			t.Fatal(err)
		}
		managers = append(managers, m)
		if got := m.Identity(); got != (NodeIdentity{want.ID, want.Name, want.PublicKey, someTime, RoleWorker}) {
			t.Errorf("%s: identity %+v", want.Name, got)
		}
		if m.PublicKey().NodeID() != want.ID || !ValidNodeID(want.ID) {
			t.Errorf("%s: node ID %s", want.Name, m.PublicKey().NodeID())
		}
		if key, err := ParsePublicKey(want.PublicKey); err != nil || key != m.PublicKey() {
			t.Errorf("%s: public key %v, %v", want.Name, key, err)
		}
		reference, err := stmf.LoadKeyPair(want.PrivateKey)
		if err != nil || reference.PublicKeyBase64() != want.PublicKey {
			t.Errorf("%s: the reference library disagrees: %v", want.Name, err)
		}
	}
	for i, m := range managers {
		secret, err := m.SharedSecret(managers[1-i].PublicKey())
		if err != nil || !bytes.Equal(secret[:], keys.SharedSecret) {
			t.Errorf("shared secret of %d: %v", i, err)
		}
		if got := SignChallenge(keys.Challenge, secret); !bytes.Equal(got, keys.ChallengeResponse) {
			t.Errorf("challenge response of %d: %x", i, got)
		}
		if !VerifyChallenge(keys.Challenge, keys.ChallengeResponse, secret) {
			t.Errorf("%d refuses the valid response", i)
		}
		wrong := bytes.Clone(keys.ChallengeResponse)
		wrong[31] ^= 1
		for _, response := range [][]byte{nil, {}, wrong, wrong[:31], append(wrong, 0)} {
			if VerifyChallenge(keys.Challenge, response, secret) {
				t.Errorf("%d accepts the response %x", i, response)
			}
		}
	}
}

func TestParsePublicKeyRefusesInvalidKeys(t *testing.T) {
	var keys keyVectors
	readVectors(t, "keys.json", &keys)
	good := keys.Identities[0].PublicKey
	raw, _ := base64.StdEncoding.DecodeString(good)
	text := func(raw ...byte) string { return base64.StdEncoding.EncodeToString(raw) }
	raw[31] |= 0x80
	refused := append(keys.RefusedPublicKeys,
		"", good[:43], good+"=", good+"\n", "\n"+good[:43], good[:20]+"\n"+good[20:], good[:40]+"\r\n"+good[42:],
		good[:40]+"\n\n\n\n", strings.Repeat("\n", 44), good[:42]+"Z=", good[:42]+"==", " "+good[:43],
		text(raw...), text(raw[:31]...), text(append(raw, 0)...), strings.ReplaceAll(good, "=", ""),
		base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)),
	)
	for _, s := range refused {
		if _, err := ParsePublicKey(s); !errors.Is(err, ErrPublicKey) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParsePublicKey(%q): %v", s, err)
		}
	}
}

// TestLowOrderPointsYieldZero checks the table of low order points: each yields zero, and is canonical, so no other
// check refuses it.
func TestLowOrderPointsYieldZero(t *testing.T) {
	m, err := NewEphemeralNodeManager("", RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	for _, low := range lowOrder {
		public, err := ecdh.X25519().NewPublicKey(low[:])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.private.ECDH(public); err == nil {
			t.Errorf("%v is not of low order", low)
		}
		if !low.belowPrime() {
			t.Errorf("%v is not canonical", low)
		}
		if _, err := m.SharedSecret(low); !errors.Is(err, ErrPublicKey) {
			t.Errorf("shared secret with %v: %v", low, err)
		}
	}
}

func TestValidNodeIDRequiresLowerHex(t *testing.T) {
	id := "6b4c195b5338ff84876cc6de1b1118bf"
	for s, want := range map[string]bool{
		id: true, "": false, id[1:]: false, id + "0": false, strings.ToUpper(id): false,
		"g" + id[1:]: false, " " + id[1:]: false,
	} {
		if ValidNodeID(s) != want {
			t.Errorf("ValidNodeID(%q) is %v", s, !want)
		}
	}
}

func TestInvalidRolesAndNamesAreRefused(t *testing.T) {
	for _, role := range []NodeRole{RoleController, RoleWorker, RoleDual} {
		if got, err := ParseRole(string(role)); err != nil || got != role {
			t.Errorf("ParseRole(%q) = %q, %v", role, got, err)
		}
	}
	for _, s := range []string{"", "Dual", "dual ", "boss"} {
		if _, err := ParseRole(s); !errors.Is(err, ErrRole) {
			t.Errorf("ParseRole(%q): %v", s, err)
		}
	}
	if _, err := NewEphemeralNodeManager("x", "boss"); !errors.Is(err, ErrRole) {
		t.Error(err)
	}
	for _, name := range []string{strings.Repeat("x", MaxNameLength+1), "\xff"} {
		if _, err := NewEphemeralNodeManager(name, RoleDual); !errors.Is(err, ErrName) {
			t.Error(err)
		}
	}
	if _, err := NodeManagerFromPrivateKey(make([]byte, 31), "x", RoleDual, someTime); err == nil {
		t.Error("a key of 31 bytes was accepted")
	}
}

func TestIdentityMatchesTheWire(t *testing.T) {
	got, err := json.Marshal(NodeIdentity{"i", "n", "p", someTime, RoleDual})
	want := `{"id":"i","name":"n","publicKey":"p","createdAt":"2026-03-11T13:02:39Z","role":"dual"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestGenerateChallengeReadsTheReader(t *testing.T) {
	a, errA := GenerateChallenge(nil)
	b, errB := GenerateChallenge(nil)
	if errA != nil || errB != nil || len(a) != ChallengeSize || bytes.Equal(a, b) {
		t.Error(a, b, errA, errB)
	}
	if _, err := GenerateChallenge(strings.NewReader("short")); err == nil {
		t.Error("a short reader yielded a challenge")
	}
	fixed, err := GenerateChallenge(bytes.NewReader(bytes.Repeat([]byte{7}, 40)))
	if err != nil || !bytes.Equal(fixed, bytes.Repeat([]byte{7}, 32)) {
		t.Error(fixed, err)
	}
}

// TestSecretsPrintRedacted requires that no printed, logged or encoded text contains a secret.
func TestSecretsPrintRedacted(t *testing.T) {
	secret := SharedSecret(bytes.Repeat([]byte{0xab}, 32))
	m, err := NodeManagerFromPrivateKey(bytes.Repeat([]byte{0xab}, 32), "n", RoleDual, someTime)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U"} {
		fmt.Fprintf(&out, verb+verb+verb, secret, &secret, struct{ S SharedSecret }{secret})
		fmt.Fprintf(&out, verb, m)
	}
	text := out.String() + fmt.Sprint(secret.String(), secret.GoString())
	out.Reset()
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "a", secret, "b", &secret)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "a", secret, "b", struct{ S SharedSecret }{secret}, "c", m)
	text = strings.ToLower(text + out.String())
	hidden := []string{"abab", "171 171", "171,171", "0xab, 0xab", "253 253", "q6ur"}
	for _, s := range hidden {
		if strings.Contains(text, s) {
			t.Errorf("the output contains %q", s)
		}
	}
	if !strings.Contains(text, redacted) {
		t.Error("the output does not contain [redacted]")
	}
}
