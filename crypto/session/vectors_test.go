package session

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/internal/mac"
)

var update = flag.Bool("update", false, "write testdata/vectors/session.json")

// sessionVectors is testdata/vectors/session.json. Identities are those of keys.json: A is the initiator.
type sessionVectors struct {
	Comment   string          `json:"comment"`
	Ephemeral [2]keyPair      `json:"ephemeral"` // of the initiator, of the responder
	KEM       kemVector       `json:"kem"`
	Sessions  []sessionVector `json:"sessions"`
	Keys      []refusedKeys   `json:"refusedKeys"`
	Records   []refusedRecord `json:"refusedRecords"`
}

type keyPair struct {
	PrivateKey []byte `json:"privateKey"`
	PublicKey  []byte `json:"publicKey"`
}

type kemVector struct {
	Seed             []byte `json:"seed"`
	EncapsulationKey []byte `json:"encapsulationKey"`
	Random           []byte `json:"random"`
	Ciphertext       []byte `json:"ciphertext"`
	SharedKey        []byte `json:"sharedKey"`
}

type sessionVector struct {
	Name       string          `json:"name"`
	AEAD       string          `json:"aead"`
	Handshake  string          `json:"handshake"` // m1
	Ack        string          `json:"ack"`       // m2
	Transcript []byte          `json:"transcript"`
	IKM        []byte          `json:"ikm"`
	PRK        []byte          `json:"prk"`
	ToR        directionVector `json:"initiatorToResponder"`
	ToI        directionVector `json:"responderToInitiator"`
}

type directionVector struct {
	Keys    []directionKeys `json:"keys"` // at first, after one rekey, after two
	Records []recordVector  `json:"records"`
}

type directionKeys struct {
	Secret []byte `json:"secret"`
	Key    []byte `json:"key"`
	IV     []byte `json:"iv"`
}

type recordVector struct {
	Rekeys  int    `json:"rekeys"` // before it: the index of its key
	Counter uint64 `json:"counter"`
	Nonce   []byte `json:"nonce"`
	Content []byte `json:"messages"`
	Record  []byte `json:"record"`
}

// refusedKeys are session keys of a peer that Side refuses.
type refusedKeys struct {
	Name   string `json:"name"`
	Side   string `json:"side"`
	Offers bool   `json:"offersKEM"` // the initiator has offered a KEM
	Key    []byte `json:"key"`
	KEM    []byte `json:"kem,omitempty"`
	Why    string `json:"why"`
}

// refusedRecord is a record that the responder of the first session refuses as its record number Counter.
type refusedRecord struct {
	Name    string `json:"name"`
	Counter uint64 `json:"counter"`
	Record  []byte `json:"record"`
	Why     string `json:"why"`
}

// pattern returns size bytes that count up from first.
func pattern(first byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

var (
	initiatorSeed = pattern(0x10, KeySize)
	responderSeed = pattern(0x40, KeySize)
	kemSeed       = pattern(0x70, mlkem.SeedSize)
	kemRandom     = pattern(0xc0, 32)
)

// run is one session of the vectors, with its key material.
type run struct {
	pair
	vector sessionVector
}

// TestVectorsAreReproduced computes testdata/vectors/session.json from fixed seeds. With -update it writes the file.
func TestVectorsAreReproduced(t *testing.T) {
	v := sessionVectors{
		Comment: "session/1 with the identities of keys.json: A is the initiator, B the responder. Binary values are base64.",
		Ephemeral: [2]keyPair{
			{initiatorSeed, keyBytes(publicKey(t, initiatorSeed))}, {responderSeed, keyBytes(publicKey(t, responderSeed))},
		},
		KEM: mustKEM(t),
	}
	for _, tt := range []struct {
		name string
		aead AEAD
		kem  bool
	}{
		{"X25519, AES-256-GCM", AES256GCM, false},
		{"X25519, ChaCha20-Poly1305", ChaCha20Poly1305, false},
		{"X25519 and ML-KEM-768, AES-256-GCM", AES256GCM, true},
	} {
		r := mustRun(t, v.KEM, tt.aead, tt.kem)
		r.vector.Name = tt.name
		r.vector.ToR = directionOf(t, r.out, r.open, 0)
		r.vector.ToI = directionOf(t, r.back, r.opens, 1)
		fresh := mustRun(t, v.KEM, tt.aead, tt.kem)
		addFarRecord(t, fresh.out, 0, &r.vector.ToR)
		addFarRecord(t, fresh.back, 1, &r.vector.ToI)
		v.Sessions = append(v.Sessions, r.vector)
	}
	v.Keys, v.Records = refusedKeysOf(t, v.KEM), refusedRecordsOf(t, v.KEM)
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join(vectorFolder, "session.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")), got) {
		t.Errorf("%s differs from the code: compare it with the output of -update", path)
	}
}

func keyBytes(key crypto.PublicKey) []byte { return key[:] }

func mustKEM(t *testing.T) kemVector {
	t.Helper()
	key, err := mlkem.NewDecapsulationKey768(kemSeed)
	if err != nil {
		t.Fatal(err)
	}
	shared, ciphertext := fixedEncapsulation(t)(key.EncapsulationKey())
	return kemVector{kemSeed, key.EncapsulationKey().Bytes(), kemRandom, ciphertext, shared}
}

// fixedEncapsulation encapsulates with kemRandom.
func fixedEncapsulation(t *testing.T) encapsulator {
	return func(key *mlkem.EncapsulationKey768) (shared, ciphertext []byte) {
		shared, ciphertext, err := mlkemtest.Encapsulate768(key, kemRandom)
		if err != nil {
			t.Fatal(err)
		}
		return shared, ciphertext
	}
}

// mustRun performs one key exchange with the fixed seeds and requires the same secrets on both sides.
func mustRun(t *testing.T, kem kemVector, aead AEAD, hybrid bool) run {
	t.Helper()
	a, b := mustIdentities(t)
	offer, err := NewOffer(bytes.NewReader(append(bytes.Clone(initiatorSeed), kemSeed...)), hybrid)
	if err != nil {
		t.Fatal(err)
	}
	keys := PeerKeys{offer.PublicKey(), offer.KEM()}
	answer, err := newAnswer(bytes.NewReader(responderSeed), b, a.PublicKey(), keys, fixedEncapsulation(t))
	if err != nil {
		t.Fatal(err)
	}
	if hybrid && (!bytes.Equal(offer.KEM(), kem.EncapsulationKey) || !bytes.Equal(answer.KEM(), kem.Ciphertext)) {
		t.Fatal("the keys of the KEM do not follow the seeds")
	}
	m1, m2 := handshakeText(t, keys), ackText(t, aead, PeerKeys{answer.PublicKey(), answer.KEM()})
	th := transcript([]byte(m1), []byte(m2))
	ikm := bytes.Clone(*answer.ikm)
	prk := extract(ikm, []byte(m1), []byte(m2))
	r := run{vector: sessionVector{
		AEAD: aead.String(), Handshake: m1, Ack: m2,
		Transcript: th[:], IKM: ikm, PRK: prk[:],
	}}
	answered := PeerKeys{answer.PublicKey(), answer.KEM()}
	r.back, r.open = answer.Finish(aead, []byte(m1), []byte(m2))
	r.out, r.opens, err = offer.Finish(a, b.PublicKey(), answered, aead, []byte(m1), []byte(m2))
	if err != nil || *r.out.s.secret != *r.open.o.secret || *r.back.s.secret != *r.opens.o.secret {
		t.Fatalf("the secrets of the two sides differ: %v", err)
	}
	return r
}

// pingContent returns the messages of a record: one ping, as its length and a JSON envelope.
func pingContent(t *testing.T, from, n int) []byte {
	v := readKeyVectors(t)
	text := fmt.Sprintf(`{"id":"ping-%d","type":"ping","from":%q,"to":%q,"ts":"2026-03-11T13:09:20Z",`+
		`"payload":{"sentAt":1773234560000}}`, n, v.Identities[from].ID, v.Identities[1-from].ID)
	return append([]byte{byte(len(text)) | 0x80, byte(len(text) >> 7)}, text...) // LEB128 of 128 to 16383
}

// directionOf returns the keys and records of one direction, and requires that the records open. from is 0 for the
// initiator and 1 for the responder.
func directionOf(t *testing.T, s Sealer, o Opener, from int) directionVector {
	t.Helper()
	var v directionVector
	for rekeys := range 3 {
		if rekeys > 0 {
			r := recordVector{Rekeys: rekeys - 1, Counter: s.s.records, Content: []byte{}, Record: nil}
			r.Nonce, r.Record = nonceOf(v.Keys[rekeys-1].IV, r.Counter), s.Rekey(nil, 0)
			wantOpen(t, o, r.Record, Rekey, "")
			v.Records = append(v.Records, r)
		}
		v.Keys = append(v.Keys, keysOf(&s.s.direction))
		for n := range 2 {
			r := sealVector(s, v, rekeys, pingContent(t, from, 2*rekeys+n))
			wantOpen(t, o, r.Record, Messages, string(r.Content))
			v.Records = append(v.Records, r)
		}
	}
	return v
}

// sealVector seals a record after the given number of rekeys.
func sealVector(s Sealer, v directionVector, rekeys int, content []byte) recordVector {
	counter := s.s.records
	return recordVector{rekeys, counter, nonceOf(v.Keys[rekeys].IV, counter), content, sealed(s, string(content))}
}

// addFarRecord adds record 2^32 under the first key, which shows the place of the counter. A receiver ends the session
// before it, so no Opener opens it. s has sealed nothing.
func addFarRecord(t *testing.T, s Sealer, from int, v *directionVector) {
	s.s.records = 1 << 32
	v.Records = append(v.Records, sealVector(s, *v, 0, pingContent(t, from, 9)))
}

func keysOf(d *direction) directionKeys {
	okm := make([]byte, secretLen+nonceLen)
	mac.Expand(d.secret[:], labelKeyIV, okm)
	return directionKeys{bytes.Clone(d.secret[:]), okm[:secretLen], okm[secretLen:]}
}

// nonceOf computes a nonce from the words of protocol section 9.
func nonceOf(iv []byte, counter uint64) []byte {
	nonce := bytes.Clone(iv)
	for i := range 8 {
		nonce[4+i] ^= byte(counter >> (56 - 8*i))
	}
	return nonce
}
