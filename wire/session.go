package wire

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Sizes of the keys in a session offer and its answer (protocol section 9).
const (
	MaxSessionAEADs      = 8    // entries in the list of an offer
	SessionKeySize       = 32   // bytes of an X25519 public key
	SessionKEMOfferSize  = 1184 // bytes of an ML-KEM-768 encapsulation key
	SessionKEMAnswerSize = 1088 // bytes of an ML-KEM-768 ciphertext
)

// SessionOffer is the value of the key session in a handshake: an offer to use [FeatureSession] on this connection
// (protocol section 9). It comes with that feature only. Decoding checks the form and the sizes. It checks neither that
// the keys are usable nor that this project knows one of the AEADs.
type SessionOffer struct {
	AEADs []string `json:"aeads"`         // the initiator's preference first; a responder ignores unknown names
	Key   Base64   `json:"key"`           // fresh X25519 public key, 32 bytes
	KEM   Base64   `json:"kem,omitempty"` // ML-KEM-768 encapsulation key, 1184 bytes; nil if not offered
}

// SessionAnswer is the value of the key session in a handshake_ack: the responder accepts a [SessionOffer] (protocol
// section 9). Decoding checks the form and the sizes. The initiator must check that it offered AEAD, and a KEM if there
// is one.
type SessionAnswer struct {
	AEAD string `json:"aead"`          // one of the names in the offer
	Key  Base64 `json:"key"`           // fresh X25519 public key, 32 bytes
	KEM  Base64 `json:"kem,omitempty"` // ML-KEM-768 ciphertext, 1088 bytes; nil if there is none
}

// UnmarshalJSON decodes an offer. A null list, null entries, more than 8 entries and keys of another size are an
// [ErrMalformed]. A null kem is a missing one.
func (s *SessionOffer) UnmarshalJSON(data []byte) error {
	// Pointers reveal null. The fresh value keeps nothing of an earlier value for the same key.
	var raw struct {
		AEADs    []*string `json:"aeads"`
		Key, KEM Base64
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return malformed("session: " + payloadFault(err))
	}
	switch {
	case len(raw.AEADs) == 0:
		return malformed("session without aeads")
	case len(raw.AEADs) > MaxSessionAEADs:
		return malformed("session with " + strconv.Itoa(len(raw.AEADs)) + " aeads")
	case slices.Contains(raw.AEADs, nil):
		return malformed("session: an aead is null")
	}
	if err := checkSessionKeys(raw.Key, raw.KEM, SessionKEMOfferSize); err != nil {
		return err
	}
	*s = SessionOffer{Key: raw.Key, KEM: raw.KEM}
	for _, name := range raw.AEADs {
		s.AEADs = append(s.AEADs, *name)
	}
	return nil
}

// UnmarshalJSON decodes an answer. A missing or empty aead and keys of another size are an [ErrMalformed]. A null kem
// is a missing one.
func (s *SessionAnswer) UnmarshalJSON(data []byte) error {
	var raw struct {
		AEAD     string
		Key, KEM Base64
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return malformed("session: " + payloadFault(err))
	}
	if raw.AEAD == "" {
		return malformed("session without aead")
	}
	if err := checkSessionKeys(raw.Key, raw.KEM, SessionKEMAnswerSize); err != nil {
		return err
	}
	*s = SessionAnswer(raw)
	return nil
}

// checkSessionKeys checks the sizes in bytes. kem may be nil.
func checkSessionKeys(key, kem []byte, kemSize int) error {
	if len(key) != SessionKeySize {
		return malformed("session key of " + strconv.Itoa(len(key)) + " bytes")
	}
	if kem != nil && len(kem) != kemSize {
		return malformed("session kem of " + strconv.Itoa(len(kem)) + " bytes")
	}
	return nil
}

// checkSessionFeature requires that the feature and the key session come together.
func checkSessionFeature(features []string, present bool) error {
	if slices.Contains(ReceivedFeatures(features), FeatureSession) == present {
		return nil
	}
	if present {
		return malformed("key session without the feature " + FeatureSession)
	}
	return malformed("feature " + FeatureSession + " without the key session")
}
