package refpeer

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// keyVectors is testdata/keys.json. testdata holds the published vectors, except the largest frame.
type keyVectors struct {
	Challenge         string   `json:"challenge"`
	ChallengeResponse string   `json:"challengeResponse"`
	SharedSecret      string   `json:"sharedSecret"`
	Refused           []string `json:"refusedPublicKeys"`
	Identities        []struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		PrivateKey string `json:"privateKey"`
		PublicKey  string `json:"publicKey"`
	} `json:"identities"`
}

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func raw(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectorIdentities loads the identities A and B and compares their IDs and public keys with the vectors.
func vectorIdentities(t *testing.T) (keyVectors, []*Identity) {
	t.Helper()
	var v keyVectors
	readVectors(t, "keys.json", &v)
	var ids []*Identity
	for _, want := range v.Identities {
		got, err := Load(want.Name, raw(t, want.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != want.ID || got.PublicKey != want.PublicKey {
			t.Fatalf("identity %s: got ID %s and key %s, want %s and %s", want.Name, got.ID, got.PublicKey, want.ID,
				want.PublicKey)
		}
		ids = append(ids, got)
	}
	if len(ids) != 2 {
		t.Fatalf("keys.json holds %d identities, want 2", len(ids))
	}
	return v, ids
}

func TestKeysMatchVectors(t *testing.T) {
	v, ids := vectorIdentities(t)
	for i, self := range ids {
		secret, err := self.SharedSecret(ids[1-i].PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := base64.StdEncoding.EncodeToString(secret); got != v.SharedSecret {
			t.Errorf("shared secret seen by %s: got %s, want %s", self.Name, got, v.SharedSecret)
		}
		response := base64.StdEncoding.EncodeToString(ChallengeResponse(secret, raw(t, v.Challenge)))
		if response != v.ChallengeResponse {
			t.Errorf("challenge response of %s: got %s, want %s", self.Name, response, v.ChallengeResponse)
		}
	}
	for _, key := range v.Refused {
		if _, err := ids[0].SharedSecret(key); err == nil {
			t.Errorf("low-order key %s was not refused", key)
		}
	}
}

func TestFrameVectorsOpen(t *testing.T) {
	_, ids := vectorIdentities(t)
	secret, err := ids[1].SharedSecret(ids[0].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var frames []struct {
		Name  string `json:"name"`
		Frame string `json:"frame"`
		JSON  string `json:"json"`
	}
	readVectors(t, "frames.json", &frames)
	if len(frames) != 8 {
		t.Fatalf("frames.json holds %d frames, want 8", len(frames))
	}
	for _, f := range frames {
		got, _, err := open(raw(t, f.Frame), password(secret))
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		var want Envelope
		if err := json.Unmarshal([]byte(f.JSON), &want); err != nil {
			t.Fatal(err)
		}
		if got.ID != want.ID || got.Type != want.Type || got.From != want.From || got.To != want.To ||
			got.TS != want.TS || got.ReplyTo != want.ReplyTo || string(got.Payload) != string(want.Payload) {
			t.Errorf("%s:\n got %+v\nwant %+v", f.Name, got, want)
		}
	}
}
