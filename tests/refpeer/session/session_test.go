package session

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// TestAEADsMatchTheLibrary compares both AEADs with the implementations that the node uses, for every size up to 130
// bytes and a large one.
func TestAEADsMatchTheLibrary(t *testing.T) {
	libraries := map[string]func(key []byte) (cipher.AEAD, error){
		ChaCha20Poly1305: chacha20poly1305.New,
		AES256GCM: func(key []byte) (cipher.AEAD, error) {
			block, err := aes.NewCipher(key)
			if err != nil {
				return nil, err
			}
			return cipher.NewGCM(block)
		},
	}
	for name, library := range libraries {
		for size := range 132 {
			if size == 131 {
				size = 20000
			}
			key, nonce, text, additional := random(32), random(12), random(size), random(size%40)
			aead, err := library(key)
			if err != nil {
				t.Fatal(err)
			}
			sealed := sealAEAD(name, key, nonce, text, additional)
			if !bytes.Equal(sealed, aead.Seal(nil, nonce, text, additional)) {
				t.Fatalf("%s: %d bytes are sealed differently", name, size)
			}
			if back, err := openAEAD(name, key, nonce, sealed, additional); err != nil || !bytes.Equal(back, text) {
				t.Fatalf("%s: %d bytes do not open: %v", name, size, err)
			}
			sealed[len(sealed)/2] ^= 1
			if _, err := openAEAD(name, key, nonce, sealed, additional); !errors.Is(err, ErrOpen) {
				t.Fatalf("%s: %d bytes open after a change", name, size)
			}
		}
	}
}

func TestHKDFMatchesTheLibrary(t *testing.T) {
	salt, ikm := random(32), random(160)
	prk := extract(salt, ikm)
	if want, err := hkdf.Extract(sha256.New, ikm, salt); err != nil || !bytes.Equal(prk, want) {
		t.Fatalf("extract differs: %v", err)
	}
	for _, size := range []int{1, 32, 44, 100} {
		want, err := hkdf.Expand(sha256.New, prk, "info", size)
		if got := expand(prk, "info", size); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("expand of %d bytes differs: %v", size, err)
		}
	}
}

// agree runs the key schedule of both sides over two messages.
func agree(t *testing.T, aead string, kem bool) (initiator, responder *Schedule) {
	t.Helper()
	staticI, staticR, i, r := NewKeyPair(), NewKeyPair(), NewKeyPair(), NewKeyPair()
	ours, err1 := Initiate(staticI, i, staticR.Public, r.Public)
	theirs, err2 := Respond(staticR, r, staticI.Public, i.Public)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if kem {
		pair := NewKEM(nil)
		code, shared, err := Encapsulate(pair.Offer, nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs.KEM = shared
		if ours.KEM, err = pair.Decapsulate(code); err != nil {
			t.Fatal(err)
		}
	}
	initiator, err1 = Derive(aead, []byte("m1"), []byte("m2"), ours)
	responder, err2 = Derive(aead, []byte("m1"), []byte("m2"), theirs)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return initiator, responder
}

func TestSidesAgreeOnAllKeys(t *testing.T) {
	for _, aead := range []string{AES256GCM, ChaCha20Poly1305} {
		for _, kem := range []bool{false, true} {
			a, b := agree(t, aead, kem)
			if want := map[bool]int{false: 128, true: 160}[kem]; len(a.IKM) != want || !bytes.Equal(a.IKM, b.IKM) {
				t.Fatalf("%s, KEM %v: ikm %x and %x", aead, kem, a.IKM, b.IKM)
			}
			if bytes.Equal(a.I2R.Secret, a.R2I.Secret) || bytes.Equal(a.I2R.Key, a.I2R.Secret) {
				t.Fatal("one key serves two purposes")
			}
			for n := range 5 {
				record := a.I2R.Seal(TypeMessages, []byte{byte(n)})
				if typ, text, err := b.I2R.Open(record); err != nil || typ != TypeMessages || text[0] != byte(n) {
					t.Fatalf("record %d: type %d, %x, %v", n, typ, text, err)
				}
				if _, _, err := b.R2I.Clone().Open(record); !errors.Is(err, ErrOpen) {
					t.Fatalf("a record opens in the other direction: %v", err)
				}
				if typ, _, err := b.I2R.Open(a.I2R.Rekey()); err != nil || typ != TypeRekey || b.I2R.Counter != 0 {
					t.Fatalf("rekey %d: type %d, counter %d, %v", n, typ, b.I2R.Counter, err)
				}
			}
		}
	}
}

func TestOpenRefusesChangedRecords(t *testing.T) {
	a, b := agree(t, AES256GCM, false)
	first, second := a.I2R.Seal(TypeMessages, []byte("first")), a.I2R.Seal(TypeMessages, []byte("second"))
	flipped := bytes.Clone(first)
	flipped[0] = TypeRekey
	for name, tt := range map[string]struct {
		record []byte
		want   error
	}{
		"skipped":         {second, ErrOpen},
		"cut":             {first[:len(first)-1], ErrOpen},
		"short":           {first[:Overhead-1], ErrOpen},
		"empty":           {nil, ErrOpen},
		"other type":      {flipped, ErrOpen},
		"unknown type":    {a.I2R.Clone().Seal(3, []byte("x")), ErrRecordType},
		"empty messages":  {reset(a.I2R).Seal(TypeMessages, nil), ErrRecordType},
		"rekey with text": {reset(a.I2R).Seal(TypeRekey, []byte("x")), ErrRecordType},
	} {
		if _, _, err := b.I2R.Clone().Open(tt.record); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, text, err := b.I2R.Open(first); err != nil || string(text) != "first" {
		t.Fatalf("the unchanged record: %q, %v", text, err)
	}
	if _, _, err := b.I2R.Clone().Open(first); !errors.Is(err, ErrOpen) {
		t.Errorf("a repeated record: %v", err)
	}
}

func reset(d *Direction) *Direction {
	fresh := d.Clone()
	fresh.Counter = 0
	return fresh
}

func TestExchangeRefusesLowOrderKeys(t *testing.T) {
	for _, key := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		public, err := hex.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewKeyPair().Exchange(public); !errors.Is(err, ErrLowOrder) {
			t.Errorf("%s: %v, want ErrLowOrder", key, err)
		}
	}
}
