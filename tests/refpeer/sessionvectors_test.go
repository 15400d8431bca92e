package refpeer

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// sessionVectors is vectors/session.json: sessions between A, the initiator, and B of keys.json.
type sessionVectors struct {
	Ephemeral []struct{ PrivateKey, PublicKey []byte } // of A, of B
	KEM       struct{ Seed, EncapsulationKey, Random, Ciphertext, SharedKey []byte }
	Sessions  []struct {
		Name, AEAD, Handshake, Ack string
		Transcript, IKM, PRK       []byte
		InitiatorToResponder       directionVectors
		ResponderToInitiator       directionVectors
	}
	RefusedKeys []struct {
		Name, Side string
		OffersKEM  bool
		Key        []byte
		KEM        []byte
	}
	RefusedRecords []struct {
		Name    string
		Counter uint64
		Record  []byte
	}
}

type directionVectors struct {
	Keys    []struct{ Secret, Key, IV []byte } // at first, after one rekey, after two
	Records []struct {
		Rekeys   int
		Counter  uint64
		Nonce    []byte
		Messages []byte
		Record   []byte
	}
}

func readSessionVectors(t *testing.T) (v sessionVectors) {
	t.Helper()
	text, err := os.ReadFile("../../crypto/testdata/vectors/session.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Sessions) < 3 || len(v.Ephemeral) != 2 || len(v.RefusedKeys) < 20 ||
		len(v.RefusedRecords) < 14 {
		t.Fatalf("session.json: %v, %d sessions, %d keys, %d records", err, len(v.Sessions), len(v.RefusedKeys),
			len(v.RefusedRecords))
	}
	return v
}

// ephemerals returns the ephemeral key pairs of A and B.
func (v sessionVectors) ephemerals(t *testing.T) (i, r session.KeyPair) {
	t.Helper()
	var pairs []session.KeyPair
	for n, e := range v.Ephemeral {
		pairs = append(pairs, session.LoadKeyPair(e.PrivateKey))
		if !bytes.Equal(pairs[n].Public, e.PublicKey) {
			t.Fatalf("ephemeral key %d: got %x, want %x", n, pairs[n].Public, e.PublicKey)
		}
	}
	return pairs[0], pairs[1]
}

// schedule computes one session of the vectors from both sides.
func (v sessionVectors) schedule(t *testing.T, n int) *session.Schedule {
	t.Helper()
	_, ids := vectorIdentities(t)
	a, b := ids[0].pair(), ids[1].pair()
	i, r := v.ephemerals(t)
	s := v.Sessions[n]
	results, err1 := session.Initiate(a, i, b.Public, r.Public)
	other, err2 := session.Respond(b, r, a.Public, i.Public)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.Join([][]byte{results.EE, results.ES, results.SE, results.SS}, nil),
		bytes.Join([][]byte{other.EE, other.ES, other.SE, other.SS}, nil)) {
		t.Fatalf("%s: the sides disagree", s.Name)
	}
	if len(s.IKM) == 160 {
		results.KEM = v.KEM.SharedKey
	}
	schedule, err := session.Derive(s.AEAD, []byte(s.Handshake), []byte(s.Ack), results)
	if err != nil {
		t.Fatal(err)
	}
	return schedule
}

func TestSessionVectorsMatch(t *testing.T) {
	v := readSessionVectors(t)
	pair := session.NewKEM(v.KEM.Seed)
	code, shared, err1 := session.Encapsulate(pair.Offer, v.KEM.Random)
	back, err2 := pair.Decapsulate(code)
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(pair.Offer, v.KEM.EncapsulationKey) ||
		!bytes.Equal(code, v.KEM.Ciphertext) || !bytes.Equal(shared, v.KEM.SharedKey) || !bytes.Equal(back, shared) {
		t.Errorf("ML-KEM differs: %v", err)
	}
	hybrid := 0
	for n, want := range v.Sessions {
		got := v.schedule(t, n)
		if !bytes.Equal(got.Transcript, want.Transcript) || !bytes.Equal(got.IKM, want.IKM) ||
			!bytes.Equal(got.PRK, want.PRK) {
			t.Errorf("%s: transcript %x, ikm %x, prk %x", want.Name, got.Transcript, got.IKM, got.PRK)
		}
		if len(want.IKM) == 160 {
			hybrid++
		}
		checkDirection(t, want.Name+", i2r", got.I2R, want.InitiatorToResponder)
		checkDirection(t, want.Name+", r2i", got.R2I, want.ResponderToInitiator)
	}
	if hybrid == 0 {
		t.Error("no hybrid session")
	}
}

// checkDirection compares keys and records before and after two rekeys.
func checkDirection(t *testing.T, name string, d *session.Direction, want directionVectors) {
	t.Helper()
	if len(want.Keys) != 3 || len(want.Records) < 9 {
		t.Fatalf("%s: %d keys and %d records", name, len(want.Keys), len(want.Records))
	}
	var epochs []*session.Direction
	for n, k := range want.Keys {
		epochs = append(epochs, d.Clone())
		if !bytes.Equal(d.Secret, k.Secret) || !bytes.Equal(d.Key, k.Key) || !bytes.Equal(d.IV, k.IV) {
			t.Errorf("%s: keys after %d rekeys: %x %x %x", name, n, d.Secret, d.Key, d.IV)
		}
		d.Update()
	}
	for n, r := range want.Records {
		typ := session.TypeMessages
		if len(r.Messages) == 0 {
			typ = session.TypeRekey
		}
		seal := epochs[r.Rekeys].Clone()
		seal.Counter = r.Counter
		open := seal.Clone()
		if got := seal.Seal(typ, r.Messages); !bytes.Equal(got, r.Record) {
			t.Errorf("%s: record %d: got %x, want %x", name, n, got, r.Record)
		}
		got, messages, err := open.Open(r.Record)
		if err != nil || got != typ || !bytes.Equal(messages, r.Messages) {
			t.Errorf("%s: record %d does not open: %v", name, n, err)
		}
		if typ == session.TypeRekey && !bytes.Equal(open.Secret, epochs[r.Rekeys+1].Secret) {
			t.Errorf("%s: record %d leads to secret %x", name, n, open.Secret)
		}
	}
}

func TestRefusedSessionVectorsAreRefused(t *testing.T) {
	v := readSessionVectors(t)
	_, ids := vectorIdentities(t)
	i, r := v.ephemerals(t)
	for _, refused := range v.RefusedKeys {
		value := map[string]any{"key": refused.Key}
		if len(refused.KEM) > 0 {
			value["kem"] = refused.KEM
		}
		aeads := []string{session.AES256GCM}
		var err error
		if refused.Side == "initiator" {
			value["aead"] = aeads[0]
			e := ephemeral{keys: i}
			if refused.OffersKEM {
				e.kem = session.NewKEM(v.KEM.Seed)
			}
			_, _, err = e.finish(ids[0], ids[1].Public, aeads, mustMarshal(t, value))
		} else {
			value["aeads"] = aeads
			o := SessionOptions{Ephemeral: &r}
			_, _, _, err = o.answer(ids[1], ids[0].Public, mustMarshal(t, value))
		}
		if !errors.Is(err, ErrSession) {
			t.Errorf("%s, %s: %v", refused.Side, refused.Name, err)
		}
	}
	for _, refused := range v.RefusedRecords {
		open := v.schedule(t, 0).I2R
		open.Counter = refused.Counter
		if typ, messages, err := open.Open(refused.Record); err == nil {
			t.Errorf("%s: opens as type %d with %x", refused.Name, typ, messages)
		}
	}
}

func mustMarshal(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
