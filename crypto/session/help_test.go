package session

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
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
	offer, err := NewOffer(nil, kem)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{offer.PublicKey(), offer.KEM()})
	if err != nil {
		t.Fatal(err)
	}
	keys := PeerKeys{answer.PublicKey(), answer.KEM()}
	var p pair
	p.back, p.open = answer.Finish(aead, testHandshake, testAck)
	p.out, p.opens, err = offer.Finish(a, b.PublicKey(), keys, aead, testHandshake, testAck)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
