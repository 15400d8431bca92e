package smsg

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/internal/keystream"
)

// frameVector is one of frames.json or refused-frames.json.
type frameVector struct {
	Name  string `json:"name"`
	Frame []byte `json:"frame"`
	JSON  string `json:"json"`
	Why   string `json:"why"`
}

func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// vectorSecret is the secret that A and B of the vectors share.
func vectorSecret(t testing.TB) crypto.SharedSecret {
	t.Helper()
	var keys struct {
		SharedSecret []byte `json:"sharedSecret"`
	}
	readVectors(t, "keys.json", &keys)
	return crypto.SharedSecret(keys.SharedSecret)
}

func mustKey(t testing.TB) *Key {
	t.Helper()
	key, err := NewKey(vectorSecret(t))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustSealer(t testing.TB, key *Key) *Sealer {
	t.Helper()
	sealer, err := key.NewSealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

// password returns the shared secret in the format of the reference library.
func password(t testing.TB) string {
	secret := vectorSecret(t)
	return base64.StdEncoding.EncodeToString(secret[:])
}

// sealRaw returns a frame with the given header, plaintext and nonce.
func sealRaw(key *Key, head string, plaintext []byte, nonce [nonceLen]byte) []byte {
	frame := []byte(magic + "\x02")
	frame = append(frame, byte(len(head)>>24), byte(len(head)>>16), byte(len(head)>>8), byte(len(head)))
	frame = append(frame, head...)
	frame = append(frame, nonce[:]...)
	mixed := bytes.Clone(plaintext)
	keystream.XOR(mixed, &nonce)
	return key.wide.Seal(frame, nonce[:], mixed, nil)
}

// sealedText returns a plaintext that contains body, made by encoding/json.
func sealedText(t testing.TB, body string, at int64) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"body": body, "timestamp": at})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var errTestHeader = errors.New("refused by the test")

// checkHeader is a HeaderCheck made with encoding/json: it accepts objects without the keys that the reference
// evaluates.
func checkHeader(header []byte) error {
	var keys map[string]json.RawMessage
	if json.Unmarshal(header, &keys) != nil || keys == nil {
		return errTestHeader
	}
	for _, key := range []string{"compression", "format", "checksum", "checksum_algo"} {
		if keys[key] != nil {
			return errTestHeader
		}
	}
	return nil
}
