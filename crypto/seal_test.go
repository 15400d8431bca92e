package crypto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/Snider/Borg/pkg/smsg"
)

// oddBodies are texts that are hard to carry inside a JSON string.
var oddBodies = []string{
	"x", `"`, `\`, `\"`, "\x00", "\x1f\x7f\u0080", "<b>&amp;</b>\u2028\u2029", "日本語 🚀", `\ud83d`, "\ufffd", "\ufeff",
	`{"id":"6f0c","payload":{"a":"b\\\"c"}}`, strings.Repeat("x", 7) + `"` + strings.Repeat("y", 8), "\n\r\t\b\f",
	strings.Repeat(`"\`, 1000), strings.Repeat("é", 33),
}

func TestSealOpensHereAndAtTheReference(t *testing.T) {
	codec, secret := mustCodec(t), password(t)
	sealer, opener := mustSealer(t, codec), codec.NewOpener()
	for _, now := range []int64{0, 1, 1773234159, -5, math.MaxInt64, math.MinInt64} {
		for _, body := range oddBodies {
			escaped := EscapeBody(nil, []byte(body))
			frame := sealer.Seal([]byte("before"), escaped, now)
			if !bytes.HasPrefix(frame, []byte("beforeSMSG")) || len(frame) != 6+FrameSize(len(escaped), now) {
				t.Fatalf("%q: frame of %d bytes", body, len(frame))
			}
			msg, err := smsg.Decrypt(frame[6:], secret)
			if err != nil || msg.Body != body || msg.Timestamp != now {
				t.Errorf("%q at the reference: %+v, %v", body, msg, err)
			}
			if got, err := opener.Open(frame[6:]); err != nil || string(got) != body {
				t.Errorf("%q: %q, %v", body, got, err)
			}
		}
	}
}

func TestReferenceOpens(t *testing.T) {
	codec, secret := mustCodec(t), password(t)
	opener := codec.NewOpener()
	for _, body := range oddBodies {
		msg := smsg.NewMessage(body).WithSubject("s").WithFrom("f").SetMeta("body", "no").AddAttachment("a", "eA==", "b").WithReplyKey("k")
		for _, msg := range []*smsg.Message{smsg.NewMessage(body), msg} {
			frame, err := smsg.EncryptWithHint(msg, secret, "hint")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := opener.Open(frame); err != nil || string(got) != body {
				t.Errorf("%q: %q, %v", body, got, err)
			}
		}
	}
}

func TestNoncesNeverRepeat(t *testing.T) {
	codec := mustCodec(t)
	one, two := mustSealer(t, codec), mustSealer(t, codec)
	seen := map[[nonceLen]byte]bool{}
	at := prefixLen + len(header)
	for range 10_000 {
		for _, sealer := range []*Sealer{one, two} {
			nonce := [nonceLen]byte(sealer.Seal(nil, []byte("x"), 1)[at:])
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

// After the last counter comes another prefix, and its frames open like all others.
func TestCounterExhausted(t *testing.T) {
	codec := mustCodec(t)
	sealer, opener := mustSealer(t, codec), codec.NewOpener()
	before := sealer.nonce
	binary.BigEndian.PutUint64(sealer.nonce[subkeyPrefixLen:], math.MaxUint64-1)
	for i := range 4 {
		if body, err := opener.Open(sealer.Seal(nil, []byte("x"), 1)); err != nil || string(body) != "x" {
			t.Errorf("frame %d: %q, %v", i, body, err)
		}
	}
	if bytes.Equal(before[:subkeyPrefixLen], sealer.nonce[:subkeyPrefixLen]) || sealer.nonce[nonceLen-1] != 2 {
		t.Errorf("nonce %x after %x", sealer.nonce, before)
	}
	if _, err := codec.NewSealer(strings.NewReader("short")); err == nil {
		t.Error("a reader that ends gave a sealer")
	}
}

// An opener that has settled on a prefix still opens others, and forged frames do not unsettle it.
func TestOpenerMixedPrefixes(t *testing.T) {
	codec := mustCodec(t)
	opener, one, two := codec.NewOpener(), mustSealer(t, codec), mustSealer(t, codec)
	for i, sealer := range []*Sealer{one, one, one, two, one, two, two, two, one} {
		frame := sealer.Seal(nil, []byte("x"), 1)
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
