package smsg

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/Snider/Borg/pkg/smsg"
)

// oddBodies lists texts that are difficult to encode in a JSON string.
var oddBodies = []string{
	"x", `"`, `\`, `\"`, "\x00", "\x1f\x7f\u0080", "<b>&amp;</b>\u2028\u2029", "日本語 🚀", `\ud83d`,
	"\ufffd", "\ufeff",
	`{"id":"6f0c","payload":{"a":"b\\\"c"}}`, strings.Repeat("x", 7) + `"` + strings.Repeat("y", 8), "\n\r\t\b\f",
	strings.Repeat(`"\`, 1000), strings.Repeat("é", 33),
}

func TestSealOpensWithTheReference(t *testing.T) {
	key, secret := mustKey(t), password(t)
	sealer, opener := mustSealer(t, key), key.NewOpener(nil)
	for _, at := range []int64{0, 1, 1773234159, -5, math.MaxInt64, math.MinInt64} {
		for _, body := range oddBodies {
			plaintext := sealedText(t, body, at)
			frame := sealer.Seal([]byte("before"), plaintext)
			if !bytes.HasPrefix(frame, []byte("beforeSMSG")) || len(frame) != 6+Overhead+len(plaintext) {
				t.Fatalf("%q: frame of %d bytes", body, len(frame))
			}
			msg, err := smsg.Decrypt(frame[6:], secret)
			if err != nil || msg.Body != body || msg.Timestamp != at {
				t.Errorf("%q at the reference: %+v, %v", body, msg, err)
			}
			if got, err := opener.Open(frame[6:]); err != nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%q: %q, %v", body, got, err)
			}
		}
	}
}

// TestSealWorksInPlace requires the same frame in place, with and without capacity for the tag, and in a separate
// buffer.
func TestSealWorksInPlace(t *testing.T) {
	key := mustKey(t)
	for length := range 300 {
		plaintext := bytes.Repeat([]byte("p"), length)
		want := mustFixed(t, key).Seal(nil, plaintext)
		for _, room := range []int{0, 1, tagLen - 1, tagLen, 100} {
			frame := append(make([]byte, Headroom, Headroom+length+room), plaintext...)
			got := mustFixed(t, key).Seal(frame[:0], frame[Headroom:])
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes with room for %d: %x, want %x", length, room, got, want)
			}
			if inPlace := &got[0] == &frame[0]; inPlace != (room >= tagLen) {
				t.Errorf("%d bytes with room for %d: in place %v", length, room, inPlace)
			}
		}
		got := mustFixed(t, key).Seal(make([]byte, 0, 1000), plaintext)
		if !bytes.Equal(got, want) || string(plaintext) != strings.Repeat("p", length) {
			t.Fatalf("%d bytes elsewhere: %x, want %x", length, got, want)
		}
	}
}

// mustFixed returns a Sealer with a constant nonce prefix.
func mustFixed(t *testing.T, key *Key) *Sealer {
	sealer, err := key.NewSealer(strings.NewReader("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func TestOpenReadsTheReference(t *testing.T) {
	key, secret := mustKey(t), password(t)
	opener := key.NewOpener(checkHeader)
	for _, body := range oddBodies {
		msg := smsg.NewMessage(body).WithSubject("s").WithFrom("f").SetMeta("body", "no")
		msg = msg.AddAttachment("a", "eA==", "b").WithReplyKey("k")
		for _, msg := range []*smsg.Message{smsg.NewMessage(body), msg} {
			frame, err := smsg.EncryptWithHint(msg, secret, "hint")
			if err != nil {
				t.Fatal(err)
			}
			got, err := opener.Open(frame)
			want, _ := json.Marshal(msg)
			if err != nil || !sameJSON(got, want) {
				t.Errorf("%q: %q, %v", body, got, err)
			}
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func TestNoncesNeverRepeat(t *testing.T) {
	key := mustKey(t)
	one, two := mustSealer(t, key), mustSealer(t, key)
	seen := map[[nonceLen]byte]bool{}
	at := prefixLen + len(header)
	for range 10_000 {
		for _, sealer := range []*Sealer{one, two} {
			nonce := [nonceLen]byte(sealer.Seal(nil, []byte("x"))[at:])
			if seen[nonce] {
				t.Fatalf("nonce %x twice", nonce)
			}
			seen[nonce] = true
		}
	}
	if bytes.Equal(one.nonce[:subkeyPrefixLen], two.nonce[:subkeyPrefixLen]) {
		t.Error("two sealers share a prefix")
	}
}

// TestSealerDrawsPrefixAfterLastCounter requires that frames before and after the counter overflow open.
func TestSealerDrawsPrefixAfterLastCounter(t *testing.T) {
	key := mustKey(t)
	sealer, opener := mustSealer(t, key), key.NewOpener(nil)
	before := sealer.nonce
	binary.BigEndian.PutUint64(sealer.nonce[subkeyPrefixLen:], math.MaxUint64-1)
	for i := range 4 {
		if body, err := opener.Open(sealer.Seal(nil, []byte("x"))); err != nil || string(body) != "x" {
			t.Errorf("frame %d: %q, %v", i, body, err)
		}
	}
	if bytes.Equal(before[:subkeyPrefixLen], sealer.nonce[:subkeyPrefixLen]) || sealer.nonce[nonceLen-1] != 2 {
		t.Errorf("nonce %x after %x", sealer.nonce, before)
	}
	if _, err := key.NewSealer(strings.NewReader("short")); err == nil {
		t.Error("a short reader yielded a sealer")
	}
}

// TestOpenerHandlesMixedPrefixes requires that an Opener with a cached subkey opens other prefixes, and that forged
// frames do not displace the cached subkey.
func TestOpenerHandlesMixedPrefixes(t *testing.T) {
	key := mustKey(t)
	opener, one, two := key.NewOpener(nil), mustSealer(t, key), mustSealer(t, key)
	for i, sealer := range []*Sealer{one, one, one, two, one, two, two, two, one} {
		frame := sealer.Seal(nil, []byte("x"))
		forged := bytes.Clone(frame)
		forged[prefixLen+len(header)+i] ^= 1
		if _, err := opener.Open(forged); !errors.Is(err, ErrAuthentication) {
			t.Errorf("forged %d: %v", i, err)
		}
		if _, err := opener.Open(frame); err != nil {
			t.Errorf("frame %d: %v", i, err)
		}
	}
}
