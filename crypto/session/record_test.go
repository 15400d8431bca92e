package session

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

var bothAEADs = []AEAD{AES256GCM, ChaCha20Poly1305}

func TestRecordsOpenOnTheOtherSide(t *testing.T) {
	for _, aead := range bothAEADs {
		for _, kem := range []bool{false, true} {
			p := mustPair(t, aead, kem)
			for i, text := range []string{"x", "two", strings.Repeat("long ", 50_000)} {
				wantOpen(t, p.open, sealed(p.out, text), Messages, text)
				wantOpen(t, p.opens, sealed(p.back, text), Messages, text)
				if i == 1 {
					wantOpen(t, p.open, p.out.Rekey(nil, 0), Rekey, "")
				}
			}
		}
	}
}

// TestSealWorksInPlace requires the same record with and without capacity for the tag.
func TestSealWorksInPlace(t *testing.T) {
	for _, room := range []int{0, 1, tagLen - 1, tagLen, 100} {
		p := mustPair(t, AES256GCM, false)
		record := append(make([]byte, 1, 4+room), "abc"...)
		got := p.out.Seal(record)
		if inPlace := &got[0] == &record[0]; inPlace != (room >= tagLen) || len(got) != 3+Overhead {
			t.Errorf("room for %d: in place %v, %d bytes", room, inPlace, len(got))
		}
		opened, messages, err := p.open.Open(got, 0)
		if err != nil || opened != Messages || string(messages) != "abc" || &messages[0] != &got[typeLen] {
			t.Errorf("room for %d: %d, %q, %v", room, opened, messages, err)
		}
	}
}

func TestRekeyAppends(t *testing.T) {
	for _, room := range []int{0, 5, Overhead, 100} {
		p := mustPair(t, ChaCha20Poly1305, false)
		dst := append(make([]byte, 0, 6+room), "before"...)
		got := p.out.Rekey(dst, 0)
		if !bytes.HasPrefix(got, []byte("before")) || len(got) != 6+Overhead {
			t.Fatalf("room for %d: %q", room, got)
		}
		wantOpen(t, p.open, got[6:], Rekey, "")
		wantOpen(t, p.open, sealed(p.out, "after"), Messages, "after")
	}
}

// TestRecordsAreRefused damages the second record of a session. Each refusal is final: the intact record does not open
// afterwards, and the secret is erased.
func TestRecordsAreRefused(t *testing.T) {
	otherType := func(kind byte) func(pair, []byte) []byte {
		return func(_ pair, record []byte) []byte { record[0] = kind; return record }
	}
	tests := []struct {
		name   string
		damage func(p pair, record []byte) []byte
		want   error
	}{
		{"empty input", func(pair, []byte) []byte { return nil }, ErrTruncated},
		{"type and tag less one byte", func(_ pair, r []byte) []byte { return r[:Overhead-1] }, ErrTruncated},
		{"last byte missing", func(_ pair, r []byte) []byte { return r[:len(r)-1] }, ErrAuthentication},
		{"last byte changed", func(_ pair, r []byte) []byte { r[len(r)-1] ^= 1; return r }, ErrAuthentication},
		{"first byte of text changed", func(_ pair, r []byte) []byte { r[1] ^= 1; return r }, ErrAuthentication},
		{"one byte more", func(_ pair, r []byte) []byte { return append(r, 0) }, ErrAuthentication},
		{"type 0", otherType(0), ErrType},
		{"type 3", otherType(3), ErrType},
		{"type 255", otherType(255), ErrType},
		{"messages as rekey", otherType(2), ErrRekeyLength},
		{"rekey as messages", func(p pair, _ []byte) []byte {
			record := p.out.Rekey(nil, 0)
			record[0] = byte(Messages)
			return record
		}, ErrEmpty},
		{"no messages", func(p pair, _ []byte) []byte { return sealed(p.out, "") }, ErrEmpty},
		{"rekey with content", func(p pair, _ []byte) []byte {
			return p.out.s.seal(append(make([]byte, 1, 100), "x"...), 0, Rekey)
		}, ErrRekeyLength},
		{"skipped a record", func(p pair, _ []byte) []byte { return sealed(p.out, "text") }, ErrAuthentication},
		{"reflected", func(p pair, _ []byte) []byte { return sealed(p.back, "text") }, ErrAuthentication},
		{"skipped a rekey", func(p pair, _ []byte) []byte {
			p.out.Rekey(nil, 0)
			return sealed(p.out, "text")
		}, ErrAuthentication},
	}
	for _, aead := range bothAEADs {
		for _, tt := range tests {
			p := mustPair(t, aead, false)
			sealed(p.back, "text") // its number is that of the second record of the other direction
			first, record := sealed(p.out, "text"), sealed(p.out, "text")
			wantOpen(t, p.open, first, Messages, "text")
			kind, messages, err := p.open.Open(tt.damage(p, bytes.Clone(record)), 0)
			if !errors.Is(err, tt.want) || !errors.Is(err, ErrRecord) || kind != 0 || messages != nil {
				t.Errorf("%v, %s: %d, %q, %v; want %v", aead, tt.name, kind, messages, err, tt.want)
			}
			if _, _, again := p.open.Open(record, 0); again != err {
				t.Errorf("%v, %s: then %v", aead, tt.name, again)
			}
			if *p.open.o.secret != [secretLen]byte{} || p.open.o.cipher != nil {
				t.Errorf("%v, %s: the secret remains", aead, tt.name)
			}
		}
	}
}

// TestReplayedRecordIsRefused opens one record twice.
func TestReplayedRecordIsRefused(t *testing.T) {
	p := mustPair(t, AES256GCM, false)
	record := sealed(p.out, "once")
	wantOpen(t, p.open, record, Messages, "once")
	if _, _, err := p.open.Open(record, 0); !errors.Is(err, ErrAuthentication) {
		t.Error(err)
	}
}

func TestMustRekeyFollowsTheLimits(t *testing.T) {
	const begin = 5 * time.Minute
	tests := []struct {
		records, bytes uint64
		now            time.Duration
		want           bool
	}{
		{0, 0, begin, false},
		{1<<20 - 2, 0, begin, false},
		{1<<20 - 1, 0, begin, true},
		{0, 1<<36 - 1<<31 - 1, begin, false},
		{0, 1<<36 - 1<<31, begin, true},
		{0, 0, begin + time.Hour - 1, false},
		{0, 0, begin + time.Hour, true},
	}
	for _, tt := range tests {
		s := mustPair(t, AES256GCM, false).out
		if s.MustRekey(begin) {
			t.Fatal("at once")
		}
		s.s.records, s.s.bytes = tt.records, tt.bytes
		if got := s.MustRekey(tt.now); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
		s.Rekey(nil, tt.now)
		if s.MustRekey(tt.now + time.Hour - 1) {
			t.Errorf("%+v: again after the rekey", tt)
		}
		if !s.MustRekey(tt.now + time.Hour) {
			t.Errorf("%+v: the hour does not begin with the rekey", tt)
		}
	}
}

// TestCountsCoverTypeAndTag requires that both sides count bytes on the wire.
func TestCountsCoverTypeAndTag(t *testing.T) {
	p := mustPair(t, AES256GCM, false)
	for range 3 {
		wantOpen(t, p.open, sealed(p.out, "text"), Messages, "text")
	}
	const bytes = 3 * (4 + Overhead)
	for side, d := range map[string]*direction{"sealer": &p.out.s.direction, "opener": &p.open.o.direction} {
		if d.records != 3 || d.bytes != bytes {
			t.Errorf("%s: %d records of %d bytes", side, d.records, d.bytes)
		}
	}
}

func TestOpenerEndsAtItsLimits(t *testing.T) {
	const size = 4 + Overhead
	tests := []struct {
		records, bytes uint64
		want           error
	}{
		{1<<21 - 1, 0, nil},
		{1 << 21, 0, ErrKeyLimit},
		{0, 1<<37 - size, nil},
		{0, 1<<37 - size + 1, ErrKeyLimit},
	}
	for _, tt := range tests {
		p := mustPair(t, AES256GCM, false)
		p.out.s.records, p.open.o.records, p.open.o.bytes = tt.records, tt.records, tt.bytes
		if _, _, err := p.open.Open(sealed(p.out, "text"), 0); err != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// TestOpenerLimitsNeedlessRekeys requires the fifth needless rekey within a minute to fail, and those that follow half
// of a sender's limit to be free.
func TestOpenerLimitsNeedlessRekeys(t *testing.T) {
	p := mustPair(t, AES256GCM, false)
	rekey := func(now time.Duration) error {
		_, _, err := p.open.Open(p.out.Rekey(nil, now), now)
		return err
	}
	for i, now := range []time.Duration{0, 1, 2, 3, time.Minute, time.Minute + 1, time.Minute + 2, time.Minute + 3} {
		if err := rekey(now); err != nil {
			t.Fatalf("rekey %d: %v", i, err)
		}
	}
	const last = 2*time.Minute - 1 // four in the window of a minute
	for range 10 {
		p.out.s.records, p.open.o.records = 1<<19-1, 1<<19-1
		if err := rekey(last); err != nil {
			t.Fatalf("after 2^19 records: %v", err)
		}
		p.open.o.bytes = 1<<35 - Overhead
		if err := rekey(last); err != nil {
			t.Fatalf("after 2^35 bytes: %v", err)
		}
	}
	if err := rekey(last); err != ErrRekeyRate {
		t.Errorf("the fifth: %v", err)
	}
}

// TestRestKeepsTheSession requires that both sides continue after Rest, at any point, without a cipher in between.
func TestRestKeepsTheSession(t *testing.T) {
	for _, aead := range bothAEADs {
		p := mustPair(t, aead, true)
		for i := range 6 {
			text := fmt.Sprint("record ", i)
			wantOpen(t, p.open, sealed(p.out, text), Messages, text)
			if i == 3 {
				wantOpen(t, p.open, p.out.Rekey(nil, 0), Rekey, "")
			}
			p.out.Rest()
			p.open.Rest()
			for side, d := range map[string]direction{"sealer": p.out.s.direction, "opener": p.open.o.direction} {
				if d.cipher != nil || d.nonce != [nonceLen]byte{} || d.ivTail != 0 {
					t.Errorf("%v: the %s keeps %+v", aead, side, d)
				}
			}
		}
	}
}

// TestRekeyErasesTheSecret requires a new secret on both sides that does not depend on the records.
func TestRekeyErasesTheSecret(t *testing.T) {
	p := mustPair(t, AES256GCM, false)
	before := *p.out.s.secret
	wantOpen(t, p.open, p.out.Rekey(nil, 0), Rekey, "")
	if *p.out.s.secret == before || *p.out.s.secret != *p.open.o.secret || p.out.s.records != 0 || p.open.o.records != 0 {
		t.Error("not the same new secret with counters at 0")
	}
}

// TestSecretsDoNotPrint prints each type, alone and in a struct, with each verb.
func TestSecretsDoNotPrint(t *testing.T) {
	a, b := mustIdentities(t)
	offer, err := NewOffer(strings.NewReader(strings.Repeat("secret!!", 12)), true)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{Key: offer.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	ikm := bytes.Clone(*answer.ikm)
	out, in := answer.Finish(AES256GCM, testHandshake, testAck)
	answer.ikm = &ikm
	known := WithSecret(b, a.PublicKey(), crypto.SharedSecret(ikm[96:128]))
	values := []any{offer, answer, out, in, known, &out, &in, struct {
		s Sealer
		o Opener
		f *Offer
		a *Answer
		i Identity
	}{out, in, offer, answer, known}}
	names := []string{"session.Offer", "session.Answer", "session.Sealer", "session.Opener", "session.Identity"}
	for i, name := range names {
		if text := fmt.Sprintf("%s%d", values[i], values[i]); text != name+name {
			t.Errorf("%s prints as %q", name, text)
		}
	}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range [][]byte{out.s.secret[:], in.o.secret[:], ikm, ikm[96:], []byte("secret!!")} {
				for _, form := range []string{"%s", "%x", "%d"} {
					printed := strings.Trim(fmt.Sprintf(form, secret[:8]), "[]")
					if strings.Contains(text, printed) {
						t.Errorf("%T with %s prints a secret", value, verb)
					}
				}
			}
		}
	}
}

var _ Identity = (*crypto.NodeManager)(nil)
