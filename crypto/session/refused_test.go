package session

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

// refusedKeysOf returns keys that one side refuses, each tried.
func refusedKeysOf(t *testing.T, kem kemVector) []refusedKeys {
	t.Helper()
	a, b := mustIdentities(t)
	good := keyBytes(publicKey(t, pattern(0x99, KeySize)))
	var list []refusedKeys
	add := func(name, side string, offers bool, key, kem []byte) {
		list = append(list, refusedKeys{Name: name, Side: side, Offers: offers, Key: key, KEM: kem})
	}
	for _, side := range []struct {
		name, own string
		identity  *crypto.NodeManager
		ephemeral []byte
	}{{"initiator", "own", a, initiatorSeed}, {"responder", "own", b, responderSeed}} {
		for i, key := range badKeys() {
			add(fmt.Sprintf("key %d of low order or not canonical", i+1), side.name, false, key, nil)
		}
		add("its own ephemeral key", side.name, false, keyBytes(publicKey(t, side.ephemeral)), nil)
		add("its own identity", side.name, false, keyBytes(side.identity.PublicKey()), nil)
	}
	notReduced := bytes.Clone(kem.EncapsulationKey)
	notReduced[0], notReduced[1] = 0xff, notReduced[1]|0x0f // a coefficient of 4095, above 3328
	add("ciphertext without an offer", "initiator", false, good, kem.Ciphertext)
	add("ciphertext one byte short", "initiator", true, good, kem.Ciphertext[1:])
	add("ciphertext one byte long", "initiator", true, good, append([]byte{0}, kem.Ciphertext...))
	add("encapsulation key one byte short", "responder", true, good, kem.EncapsulationKey[1:])
	add("encapsulation key one byte long", "responder", true, good, append([]byte{0}, kem.EncapsulationKey...))
	add("encapsulation key not reduced", "responder", true, good, notReduced)
	for i := range list {
		err := presentKeys(t, list[i])
		if !errors.Is(err, ErrKeys) {
			t.Fatalf("%s: %v", list[i].Name, err)
		}
		list[i].Why = err.Error()
	}
	return list
}

// badKeys returns 0, 1, the points of order 8, p-1, p, p+1, and 1 with the top bit set.
func badKeys() [][]byte {
	word := func(first, middle, last byte) []byte {
		key := bytes.Repeat([]byte{middle}, KeySize)
		key[0], key[KeySize-1] = first, last
		return key
	}
	order8 := func(text string) []byte {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			panic(err)
		}
		return key
	}
	return [][]byte{
		word(0, 0, 0), word(1, 0, 0),
		order8("4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA="), order8("X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc="),
		word(0xec, 0xff, 0x7f), word(0xed, 0xff, 0x7f), word(0xee, 0xff, 0x7f), word(1, 0, 0x80),
	}
}

// presentKeys returns the error of a side for session keys of its peer.
func presentKeys(t *testing.T, k refusedKeys) error {
	t.Helper()
	a, b := mustIdentities(t)
	keys := PeerKeys{crypto.PublicKey(k.Key), k.KEM}
	if k.Side == "responder" {
		_, err := NewAnswer(bytes.NewReader(responderSeed), b, a.PublicKey(), keys)
		return err
	}
	offer, err := NewOffer(bytes.NewReader(append(bytes.Clone(initiatorSeed), kemSeed...)), k.Offers)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = offer.Finish(a, b.PublicKey(), keys, AES256GCM, testHandshake, testAck)
	return err
}

// refusedRecordsOf returns records that the responder of the first session refuses, each tried.
func refusedRecordsOf(t *testing.T, kem kemVector) []refusedRecord {
	t.Helper()
	r := mustRun(t, kem, AES256GCM, false)
	content := string(pingContent(t, 0, 0))
	at := func(s Sealer, counter uint64, kind RecordType, text string) []byte {
		s.s.records = counter
		return s.s.seal(append(make([]byte, typeLen, 1000), text...), 0, kind)
	}
	changed := func(at int, value byte) []byte {
		record := sealed(mustRun(t, kem, AES256GCM, false).out, content)
		record[at] = value
		return record
	}
	good := changed(0, 1)
	list := []refusedRecord{
		{Name: "16 bytes", Record: good[:16]},
		{Name: "last byte missing", Record: good[:len(good)-1]},
		{Name: "bit of the ciphertext flipped", Record: changed(1, good[1]^1)},
		{Name: "bit of the tag flipped", Record: changed(len(good)-1, good[len(good)-1]^0x80)},
		{Name: "type 0", Record: changed(0, 0)},
		{Name: "type 3", Record: changed(0, 3)},
		{Name: "type 3, sealed as such", Record: at(r.out, 0, 3, content)},
		{Name: "messages with the type of a rekey", Record: changed(0, 2)},
		{Name: "record 1 in place of record 0", Record: at(r.out, 1, Messages, content)},
		{Name: "record 0 in place of record 1", Counter: 1, Record: good},
		{Name: "reflected: record 0 of the responder", Record: at(r.back, 0, Messages, content)},
		{Name: "no messages", Record: at(r.out, 0, Messages, "")},
		{Name: "rekey with one byte", Record: at(r.out, 0, Rekey, "x")},
	}
	r.out.Rekey(nil, 0)
	list = append(list, refusedRecord{Name: "under the next key without a rekey", Record: at(r.out, 0, Messages, content)})
	for i := range list {
		opener := mustRun(t, kem, AES256GCM, false).open
		opener.o.records = list[i].Counter
		_, _, err := opener.Open(bytes.Clone(list[i].Record), 0)
		if !errors.Is(err, ErrRecord) {
			t.Fatalf("%s: %v", list[i].Name, err)
		}
		list[i].Why = err.Error()
	}
	return list
}
