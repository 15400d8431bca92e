package crypto

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// keyVectors is testdata/vectors/keys.json.
type keyVectors struct {
	Challenge         []byte `json:"challenge"`
	ChallengeResponse []byte `json:"challengeResponse"`
	Identities        []struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		PrivateKey []byte `json:"privateKey"`
		PublicKey  string `json:"publicKey"`
	} `json:"identities"`
	RefusedPublicKeys []string `json:"refusedPublicKeys"`
	SharedSecret      []byte   `json:"sharedSecret"`
}

func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func mustManager(t testing.TB, dir string) *NodeManager {
	t.Helper()
	m, err := NewNodeManagerAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustGenerate(t testing.TB, dir string) *NodeManager {
	t.Helper()
	m := mustManager(t, dir)
	if err := m.Generate("name", RoleDual); err != nil {
		t.Fatal(err)
	}
	return m
}

var someTime = time.Date(2026, 3, 11, 13, 2, 39, 0, time.UTC)
