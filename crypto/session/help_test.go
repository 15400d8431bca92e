package session

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// keyVectors is testdata/vectors/keys.json: A is the initiator of these tests, B the responder.
type keyVectors struct {
	Challenge         []byte `json:"challenge"`
	ChallengeResponse []byte `json:"challengeResponse"`
	Identities        []struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		PrivateKey []byte `json:"privateKey"`
		PublicKey  string `json:"publicKey"`
	} `json:"identities"`
}

const vectorFolder = "../testdata/vectors"

func readKeyVectors(t testing.TB) keyVectors {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectorFolder, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v keyVectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// mustIdentities returns A and B of the vectors.
func mustIdentities(t testing.TB) (a, b *crypto.NodeManager) {
	t.Helper()
	var nodes []*crypto.NodeManager
	for _, v := range readKeyVectors(t).Identities {
		node, err := crypto.NodeManagerFromPrivateKey(v.PrivateKey, v.Name, crypto.RoleDual, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, node)
	}
	return nodes[0], nodes[1]
}

// pair is both ends of one session.
type pair struct {
	out, back   Sealer // of the initiator, of the responder
	open, opens Opener // of the responder, of the initiator
}

var (
	testHandshake = []byte(`{"type":"handshake"}`)
	testAck       = []byte(`{"type":"handshake_ack"}`)
)

// mustPair performs the key exchange of A and B with fresh ephemeral keys.
func mustPair(t testing.TB, aead AEAD, kem bool) pair {
	t.Helper()
	a, b := mustIdentities(t)
	offer, answer := mustExchange(t, a, b, kem)
	keys := PeerKeys{answer.PublicKey(), answer.KEM()}
	var p pair
	var err error
	p.back, p.open = answer.Finish(aead, testHandshake, testAck)
	p.out, p.opens, err = offer.Finish(a, b.PublicKey(), keys, aead, testHandshake, testAck)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mustOffer returns an offer of fresh keys.
func mustOffer(t testing.TB, kem bool) *Offer {
	t.Helper()
	offer, err := NewOffer(nil, kem)
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

// mustExchange returns an offer of fresh keys of a, and b's answer to it.
func mustExchange(t testing.TB, a, b *crypto.NodeManager, kem bool) (*Offer, *Answer) {
	t.Helper()
	offer := mustOffer(t, kem)
	answer, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{offer.PublicKey(), offer.KEM()})
	if err != nil {
		t.Fatal(err)
	}
	return offer, answer
}

// sealed returns a record of text.
func sealed(s Sealer, text string) []byte {
	record := make([]byte, typeLen, Overhead+len(text))
	return s.Seal(append(record, text...))
}

// wantOpen requires that a record opens to a type and a text.
func wantOpen(t *testing.T, o Opener, record []byte, kind RecordType, text string) {
	t.Helper()
	got, messages, err := o.Open(bytes.Clone(record), 0)
	if err != nil || got != kind || string(messages) != text {
		t.Errorf("type %d, %q, %v; want type %d, %q", got, messages, err, kind, text)
	}
}

// publicKey returns the X25519 public key of a private key.
func publicKey(t testing.TB, private []byte) crypto.PublicKey {
	t.Helper()
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return publicOf(key)
}

// handshakeText returns message 1 of A to B.
func handshakeText(t *testing.T, keys PeerKeys) string {
	v := readKeyVectors(t)
	return envelope(v, 0, "handshake", fmt.Sprintf(
		`{"identity":%s,"challenge":%q,"version":"1.0","features":["single-connection","rate/100/50","session/1"],`+
			`"session":{"aeads":["aes256gcm","chacha20poly1305"],%s}}`,
		identityText(v, 0), base64.StdEncoding.EncodeToString(v.Challenge), keysText(keys)))
}

// ackText returns message 2 of B to A.
func ackText(t *testing.T, aead AEAD, keys PeerKeys) string {
	v := readKeyVectors(t)
	return envelope(v, 1, "handshake_ack", fmt.Sprintf(
		`{"identity":%s,"challengeResponse":%q,"accepted":true,"features":["single-connection","rate/100/50","session/1"],`+
			`"session":{"aead":%q,%s}}`,
		identityText(v, 1), base64.StdEncoding.EncodeToString(v.ChallengeResponse), aead.String(), keysText(keys)))
}

func envelope(v keyVectors, from int, kind, payload string) string {
	return fmt.Sprintf(`{"id":"6f0c8d1e-3b5a-4c7d-9e2f-00000000000%d","type":%q,"from":%q,"to":%q,`+
		`"ts":"2026-03-11T13:09:19.000000001Z","payload":%s}`,
		from+1, kind, v.Identities[from].ID, v.Identities[1-from].ID, payload)
}

func identityText(v keyVectors, i int) string {
	id := v.Identities[i]
	return fmt.Sprintf(`{"id":%q,"name":%q,"publicKey":%q,"createdAt":"2026-01-02T03:04:05Z","role":"dual"}`,
		id.ID, id.Name, id.PublicKey)
}

func keysText(keys PeerKeys) string {
	text := fmt.Sprintf(`"key":%q`, keys.Key.String())
	if keys.KEM != nil {
		text += fmt.Sprintf(`,"kem":%q`, base64.StdEncoding.EncodeToString(keys.KEM))
	}
	return text
}
