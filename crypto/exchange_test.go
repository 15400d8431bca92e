package crypto

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"errors"
	"testing"
)

// TestExchangeReturnsTheX25519Result compares with crypto/ecdh and with the shared secret of the vectors.
func TestExchangeReturnsTheX25519Result(t *testing.T) {
	var keys keyVectors
	readVectors(t, "keys.json", &keys)
	one, two := keys.Identities[0], keys.Identities[1]
	m, err := NodeManagerFromPrivateKey(one.PrivateKey, one.Name, RoleDual, someTime)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdh.X25519().NewPrivateKey(two.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ecdh.X25519().NewPublicKey(m.public[:])
	if err != nil {
		t.Fatal(err)
	}
	want, err := private.ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a call changes nothing
		got, err := m.Exchange(PublicKey(private.PublicKey().Bytes()))
		if err != nil || !bytes.Equal(got[:], want) {
			t.Fatalf("%x, %v; want %x", got, err, want)
		}
		if sum := sha256.Sum256(got[:]); !bytes.Equal(sum[:], keys.SharedSecret) {
			t.Errorf("its SHA-256 is %x", sum)
		}
	}
}

// TestExchangeRefusesKeys tries each key of low order, each key that is not canonical, and no identity.
func TestExchangeRefusesKeys(t *testing.T) {
	m, err := NewEphemeralNodeManager("a", RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	refused := lowOrder[:]
	for _, low := range lowOrder {
		low[KeySize-1] |= 0x80
		refused = append(refused, low)
	}
	prime := PublicKey(bytes.Repeat([]byte{0xff}, KeySize))
	prime[0], prime[KeySize-1] = 0xed, 0x7f // 2^255-19, a second encoding of 0
	for _, key := range append(refused, prime) {
		if got, err := m.Exchange(key); !errors.Is(err, ErrPublicKey) || got != [KeySize]byte{} {
			t.Errorf("%x: %x, %v", key, got, err)
		}
	}
	if _, err := (&NodeManager{}).Exchange(PublicKey{9}); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("without an identity: %v", err)
	}
}
