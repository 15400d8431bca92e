package actors

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// The terms of an offer and of an answer are pure decisions.
func TestTermsFollowOfferAndAnswer(t *testing.T) {
	key, kem := wire.Base64(make([]byte, 32)), wire.Base64(make([]byte, session.KEMAnswerSize))
	if terms, err := offerTerms(nil); terms != nil || err != nil {
		t.Errorf("no offer: %+v, %v", terms, err)
	}
	if _, err := offerTerms(&wire.SessionOffer{AEADs: []string{"rot13"}, Key: key}); err == nil {
		t.Error("an offer without a known aead is accepted")
	}
	terms, err := offerTerms(&wire.SessionOffer{AEADs: []string{"rot13", "aes256gcm"}, Key: key})
	if err != nil || terms.aead != session.AES256GCM || terms.keys.Key != (crypto.PublicKey{}) {
		t.Errorf("one known aead: %+v, %v", terms, err)
	}
	gcm := &wire.SessionOffer{AEADs: []string{"aes256gcm"}, Key: key}
	withKEM := &wire.SessionOffer{AEADs: []string{"aes256gcm"}, Key: key, KEM: make([]byte, session.KEMOfferSize)}
	for name, c := range map[string]struct {
		answer  *wire.SessionAnswer
		offered *wire.SessionOffer
		session bool
		fails   bool
	}{
		"none, not offered":     {nil, nil, false, false},
		"none":                  {nil, gcm, false, false},
		"not offered":           {&wire.SessionAnswer{AEAD: "aes256gcm", Key: key}, nil, false, true},
		"as offered":            {&wire.SessionAnswer{AEAD: "aes256gcm", Key: key}, gcm, true, false},
		"another known aead":    {&wire.SessionAnswer{AEAD: "chacha20poly1305", Key: key}, gcm, false, true},
		"unknown aead":          {&wire.SessionAnswer{AEAD: "rot13", Key: key}, gcm, false, true},
		"kem that is not asked": {&wire.SessionAnswer{AEAD: "aes256gcm", Key: key, KEM: kem}, gcm, false, true},
		"kem that is asked":     {&wire.SessionAnswer{AEAD: "aes256gcm", Key: key, KEM: kem}, withKEM, true, false},
		"no kem, though asked":  {&wire.SessionAnswer{AEAD: "aes256gcm", Key: key}, withKEM, true, false},
	} {
		terms, err := answerTerms(c.answer, c.offered)
		if (terms != nil) != c.session || (err != nil) != c.fails {
			t.Errorf("%s: %+v, %v", name, terms, err)
		}
	}
}

// A node that offers no session answers none, and speaks SMSG.
func TestSessionOffIgnoresOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connectSession()
		ack := p.shake(nil)
		if !ack.Accepted || ack.Session != nil || slices.Contains(ack.Features, wire.FeatureSession) {
			t.Errorf("answered %+v", ack)
		}
		if id := reportsOf[*Identified](r); len(id) != 1 || id[0].Session {
			t.Errorf("identified %+v", id)
		}
		if f := r.slot.handle.Format(); f != (Format{}) {
			t.Errorf("format %+v", f)
		}
	})
}
