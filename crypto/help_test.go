package crypto

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
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

// frameVector is one of frames.json or refused-frames.json.
type frameVector struct {
	Name  string `json:"name"`
	Frame []byte `json:"frame"`
	JSON  string `json:"json"`
	Why   string `json:"why"`
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

// vectorSecret is the secret that A and B of the vectors share.
func vectorSecret(t testing.TB) SharedSecret {
	t.Helper()
	var keys keyVectors
	readVectors(t, "keys.json", &keys)
	return SharedSecret(keys.SharedSecret)
}

func mustCodec(t testing.TB) *Codec {
	t.Helper()
	codec, err := NewCodec(vectorSecret(t))
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func mustSealer(t testing.TB, codec *Codec) *Sealer {
	t.Helper()
	sealer, err := codec.NewSealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

// password is the shared secret as the reference library wants it.
func password(t testing.TB) string {
	secret := vectorSecret(t)
	return base64.StdEncoding.EncodeToString(secret[:])
}

// sealRaw makes a frame of any header and any plaintext, with a nonce of its own.
func sealRaw(codec *Codec, head string, plaintext []byte, nonce [nonceLen]byte) []byte {
	frame := []byte(magic + "\x02")
	frame = append(frame, byte(len(head)>>24), byte(len(head)>>16), byte(len(head)>>8), byte(len(head)))
	frame = append(frame, head...)
	frame = append(frame, nonce[:]...)
	mixed := bytes.Clone(plaintext)
	keystream.XOR(mixed, &nonce)
	return codec.wide.Seal(frame, nonce[:], mixed, nil)
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
