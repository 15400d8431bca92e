package session

import (
	"bytes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// readSessionVectors reads the published vectors.
func readSessionVectors(t testing.TB) sessionVectors {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectorFolder, "session.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v sessionVectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzOpenRecord opens arbitrary bytes as a record with an arbitrary counter under the first key of the vectors, and
// compares with the bare cipher.
func FuzzOpenRecord(f *testing.F) {
	v := readSessionVectors(f)
	keys := v.Sessions[0].ToR.Keys[0]
	for _, s := range v.Sessions {
		for _, r := range s.ToR.Records {
			f.Add(r.Record, uint32(r.Counter))
		}
	}
	for _, r := range v.Records {
		f.Add(r.Record, uint32(r.Counter))
	}
	bare := AES256GCM.newCipher(keys.Key)
	f.Fuzz(func(t *testing.T, record []byte, counter uint32) {
		secret := [secretLen]byte(keys.Secret)
		o := Opener{&opening{direction: direction{secret: &secret, aead: AES256GCM, records: uint64(counter)}}}
		want, ok := openBare(bare, keys.IV, uint64(counter), record)
		kind, messages, err := o.Open(bytes.Clone(record), 0)
		if (err == nil) != ok || !bytes.Equal(messages, want) {
			t.Fatalf("%q, %v; the cipher: %q, %v", messages, err, want, ok)
		}
		if err == nil {
			wantOpened(t, o, record, uint64(counter))
			return
		}
		if !errors.Is(err, ErrRecord) || kind != 0 || secret != [secretLen]byte{} {
			t.Fatalf("type %d, %v, secret %x", kind, err, secret)
		}
	})
}

// openBare opens a record by the words of protocol section 9.
func openBare(aead cipher.AEAD, iv []byte, counter uint64, record []byte) (messages []byte, ok bool) {
	if len(record) < 17 || counter >= 1<<21 {
		return nil, false
	}
	rekey := record[0] == 2 && len(record) == 17
	if !rekey && (record[0] != 1 || len(record) == 17) {
		return nil, false
	}
	messages, err := aead.Open(nil, nonceOf(iv, counter), record[1:], record[:1])
	return messages, err == nil
}

// wantOpened checks the state after a record that opened.
func wantOpened(t *testing.T, o Opener, record []byte, counter uint64) {
	t.Helper()
	rekeyed := RecordType(record[0]) == Rekey
	if rekeyed && (o.o.records != 0 || o.o.bytes != 0 || o.o.cipher != nil) {
		t.Fatalf("after a rekey: %d records of %d bytes", o.o.records, o.o.bytes)
	}
	if !rekeyed && (o.o.records != counter+1 || o.o.bytes != uint64(len(record))) {
		t.Fatalf("%d records of %d bytes", o.o.records, o.o.bytes)
	}
}

// FuzzSession lets a script drive both ends of one direction: each byte seals, rekeys, rests, or does harm. Until the
// first harm each record opens; from then on none does.
func FuzzSession(f *testing.F) {
	for _, script := range []string{"s", "srsRsSs", "ssrrrrs", "ssd", "sxs", "sps", "rrrrrs", "cs"} {
		f.Add([]byte(script), false)
		f.Add([]byte(script), true)
	}
	f.Fuzz(func(t *testing.T, script []byte, chacha bool) {
		p := mustPair(t, AES256GCM+AEAD(btoi(chacha)), false)
		harmed, rekeys := false, 0
		var last []byte
		for i, step := range script {
			record, skip := sealed(p.out, "text"), false
			switch step {
			case 'r':
				wantVerdict(t, i, p.open, record, !harmed)
				record = p.out.Rekey(nil, 0)
				rekeys++
				harmed = harmed || rekeys > needlessRekeys
			case 'R':
				p.open.Rest()
			case 'S':
				p.out.Rest()
			case 'd': // dropped
				skip, harmed = true, true
			case 'x': // altered
				record[len(record)/2] ^= 1
				harmed = true
			case 'p': // repeated
				harmed = harmed || last != nil
				record = append([]byte(nil), append(last, record[len(last):]...)...)
			case 'c': // truncated
				record, harmed = record[:len(record)-1], true
			}
			if skip {
				continue
			}
			last = bytes.Clone(record)
			wantVerdict(t, i, p.open, record, !harmed)
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func wantVerdict(t *testing.T, step int, o Opener, record []byte, open bool) {
	t.Helper()
	if _, _, err := o.Open(record, 0); (err == nil) != open {
		t.Fatalf("step %d: %v", step, err)
	}
}
