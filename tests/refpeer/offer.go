package refpeer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

const (
	featureSession = "session/1"
	maxAEADs       = 8
)

// ErrSession means that the other side's part of the negotiation of session/1 is refused.
var ErrSession = errors.New("session/1 refused")

// SessionOptions make a peer speak session/1. The zero value offers both AEADs, GCM first, and no KEM.
type SessionOptions struct {
	AEADs      []string         // offered by the initiator, in this order; nil: GCM, ChaCha20-Poly1305
	KEM        bool             // the initiator offers ML-KEM-768
	NoKEM      bool             // the responder leaves the offer of a KEM unanswered
	NoHardware bool             // the responder prefers ChaCha20-Poly1305 if it is offered
	Ephemeral  *session.KeyPair // instead of a fresh one
	// Manual leaves the first record of this side to the test, and does not wait for that of the other side.
	Manual bool
}

// sessionOffer is the value of the key "session" in a handshake, sessionAnswer that in an ack.
type sessionOffer struct {
	AEADs []string `json:"aeads"`
	Key   string   `json:"key"`
	KEM   *string  `json:"kem"` // nil: none
}

type sessionAnswer struct {
	AEAD string  `json:"aead"`
	Key  string  `json:"key"`
	KEM  *string `json:"kem"`
}

// ephemeral are the secrets of one side between offer and schedule.
type ephemeral struct {
	keys session.KeyPair
	kem  *session.KEM
}

// offer returns an initiator's secrets and its value of the key "session".
func (o *SessionOptions) offer() (ephemeral, map[string]any) {
	e := ephemeral{keys: o.keys()}
	aeads := o.AEADs
	if aeads == nil {
		aeads = []string{session.AES256GCM, session.ChaCha20Poly1305}
	}
	value := map[string]any{"aeads": aeads, "key": base64.StdEncoding.EncodeToString(e.keys.Public)}
	if o.KEM {
		e.kem = session.NewKEM(nil)
		value["kem"] = base64.StdEncoding.EncodeToString(e.kem.Offer)
	}
	return e, value
}

func (o *SessionOptions) keys() session.KeyPair {
	if o.Ephemeral != nil {
		return *o.Ephemeral
	}
	return session.NewKeyPair()
}

// answer checks an offer and returns the responder's value of the key "session", the AEAD and all key exchanges.
func (o *SessionOptions) answer(own *Identity, peer Public, raw json.RawMessage) (map[string]any, string,
	session.Results, error,
) {
	var r session.Results
	var offer sessionOffer
	if err := json.Unmarshal(raw, &offer); err != nil {
		return nil, "", r, fmt.Errorf("%w: %w", ErrSession, err)
	}
	aead, err := o.choose(offer.AEADs)
	if err != nil {
		return nil, "", r, err
	}
	key, err1 := canonical(offer.Key, session.KeySize)
	static, err2 := canonical(peer.PublicKey, session.KeySize)
	keys := o.keys()
	if err := errors.Join(err1, err2, notOwn(static, key, own, keys)); err != nil {
		return nil, "", r, err
	}
	if r, err = session.Respond(own.pair(), keys, static, key); err != nil {
		return nil, "", r, fmt.Errorf("%w: %w", ErrSession, err)
	}
	value := map[string]any{"aead": aead, "key": base64.StdEncoding.EncodeToString(keys.Public)}
	if offer.KEM == nil {
		return value, aead, r, nil
	}
	encapsulation, err := canonical(*offer.KEM, session.OfferSize)
	if err != nil {
		return nil, "", r, err
	}
	code, shared, err := session.Encapsulate(encapsulation, nil)
	if err != nil {
		return nil, "", r, fmt.Errorf("%w: %w", ErrSession, err)
	}
	if !o.NoKEM {
		value["kem"], r.KEM = base64.StdEncoding.EncodeToString(code), shared
	}
	return value, aead, r, nil
}

// choose returns the responder's choice of the offered AEADs.
func (o *SessionOptions) choose(offered []string) (string, error) {
	if len(offered) > maxAEADs {
		return "", fmt.Errorf("%w: %d AEADs", ErrSession, len(offered))
	}
	known := slices.DeleteFunc(slices.Clone(offered), func(name string) bool {
		return name != session.AES256GCM && name != session.ChaCha20Poly1305
	})
	switch {
	case len(known) == 0:
		return "", fmt.Errorf("%w: no known AEAD in %q", ErrSession, offered)
	case o.NoHardware && slices.Contains(known, session.ChaCha20Poly1305):
		return session.ChaCha20Poly1305, nil
	}
	return known[0], nil
}

// finish checks an answer against the initiator's offer and returns the AEAD and all key exchanges.
func (e ephemeral) finish(own *Identity, peer Public, offered any, raw json.RawMessage) (string, session.Results,
	error,
) {
	var r session.Results
	var answer sessionAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return "", r, fmt.Errorf("%w: %w", ErrSession, err)
	}
	if aeads, _ := offered.([]string); !slices.Contains(aeads, answer.AEAD) {
		return "", r, fmt.Errorf("%w: AEAD %q was not offered", ErrSession, answer.AEAD)
	}
	if answer.KEM != nil && e.kem == nil {
		return "", r, fmt.Errorf("%w: a KEM that was not asked for", ErrSession)
	}
	key, err1 := canonical(answer.Key, session.KeySize)
	static, err2 := canonical(peer.PublicKey, session.KeySize)
	if err := errors.Join(err1, err2, notOwn(static, key, own, e.keys)); err != nil {
		return "", r, err
	}
	r, err := session.Initiate(own.pair(), e.keys, static, key)
	if err != nil {
		return "", r, fmt.Errorf("%w: %w", ErrSession, err)
	}
	if answer.KEM == nil {
		return answer.AEAD, r, nil
	}
	code, err := canonical(*answer.KEM, session.CodeSize)
	if err != nil {
		return "", r, err
	}
	r.KEM, err = e.kem.Decapsulate(code)
	return answer.AEAD, r, err
}

// negotiates checks that feature and key come together, and reports whether they are there.
func negotiates(features []string, value json.RawMessage) (bool, error) {
	key := len(value) > 0 && string(value) != "null"
	if key != slices.Contains(features, featureSession) {
		return false, fmt.Errorf("%w: feature and key do not come together", ErrSession)
	}
	return key, nil
}

// notOwn refuses this node's own keys as the static or ephemeral key of the other side.
func notOwn(static, key []byte, own *Identity, keys session.KeyPair) error {
	for _, theirs := range [][]byte{static, key} {
		if bytes.Equal(theirs, own.keys.PublicKey()) || bytes.Equal(theirs, keys.Public) {
			return fmt.Errorf("%w: our own key", ErrSession)
		}
	}
	return nil
}

// canonical decodes base64 of an exact size that has only this one spelling.
func canonical(text string, size int) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != size || base64.StdEncoding.EncodeToString(raw) != text {
		return nil, fmt.Errorf("%w: no canonical base64 of %d bytes", ErrSession, size)
	}
	return raw, nil
}

// pair returns the identity's static key pair.
func (i *Identity) pair() session.KeyPair {
	return session.KeyPair{Private: i.keys.PrivateKey(), Public: i.keys.PublicKey()}
}
