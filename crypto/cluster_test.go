package crypto

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"testing"
	"time"
)

func TestClusterKeyFollowsKeyLabelAndSecret(t *testing.T) {
	private := bytes.Repeat([]byte{7}, 32)
	manager := func(private []byte) *NodeManager {
		m, err := NodeManagerFromPrivateKey(private, "any", RoleDual, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	key := func(m *NodeManager, label, secret string) [32]byte {
		key, err := m.ClusterKey(label, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	m := manager(private)
	want, err := hkdf.Key(sha256.New, private, nil, "go-p2p cluster ca", 32)
	if got := key(m, "ca", ""); err != nil || got != [32]byte(want) {
		t.Errorf("the key is %x, want %x", got, want)
	}
	if key(m, "ca", "") != key(manager(private), "ca", "") {
		t.Error("two managers with one private key derive different keys")
	}
	seen := map[[32]byte]bool{}
	for _, k := range [][32]byte{
		key(m, "ca", ""), key(m, "seal", ""), key(m, "ca", "secret"), key(m, "ca", "other"),
		key(manager(bytes.Repeat([]byte{8}, 32)), "ca", ""), *m.challengeKey,
	} {
		if seen[k] {
			t.Errorf("the key %x occurs twice", k)
		}
		seen[k] = true
	}
	if _, err := (&NodeManager{}).ClusterKey("ca", nil); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("without an identity: %v", err)
	}
}
