package wire

import (
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

// The members of the key session in both messages.
const (
	fieldAEAD = iota // the list of an offer, the name of an answer
	fieldKey
	fieldKEM
)

var (
	offerKeys  = keys{fieldAEAD: `"aeads":`, fieldKey: `"key":`, fieldKEM: `"kem":`}
	answerKeys = keys{fieldAEAD: `"aead":`, fieldKey: `"key":`, fieldKEM: `"kem":`}
)

// UnmarshalJSON decodes an offer. Keys match exactly, case included. A null list, null entries, more than 8 entries and
// keys of another size are an [ErrMalformed]. A null kem is a missing one.
func (s *SessionOffer) UnmarshalJSON(data []byte) error {
	var offer SessionOffer // keeps nothing of an earlier value for the same key
	err := scanSession(data, offerKeys, &offer.Key, &offer.KEM, func(i int) (end int, err error) {
		offer.AEADs, end, err = scanAEADs(data, i)
		return end, err
	})
	if err == nil && len(offer.AEADs) == 0 {
		err = malformed("session without aeads")
	}
	if err == nil {
		err = checkSessionKeys(offer.Key, offer.KEM, SessionKEMOfferSize)
	}
	if err == nil {
		*s = offer
	}
	return err
}

// UnmarshalJSON decodes an answer. Keys match exactly, case included. A missing or empty aead and keys of another size
// are an [ErrMalformed]. A null kem is a missing one.
func (s *SessionAnswer) UnmarshalJSON(data []byte) error {
	var answer SessionAnswer
	err := scanSession(data, answerKeys, &answer.Key, &answer.KEM, func(i int) (end int, err error) {
		if isNull(data, i) {
			return i + len("null"), nil
		}
		answer.AEAD, end, err = scanName(data, i)
		return end, err
	})
	if err == nil && answer.AEAD == "" {
		err = malformed("session without aead")
	}
	if err == nil {
		err = checkSessionKeys(answer.Key, answer.KEM, SessionKEMAnswerSize)
	}
	if err == nil {
		*s = answer
	}
	return err
}

// scanSession reads the value of the key session. It calls aead with the index of a value of the first known key; aead
// returns the index after the value. Of duplicate keys the last one counts.
func scanSession(data []byte, known keys, key, kem *Base64, aead func(i int) (end int, err error)) error {
	return scanText(data, known, func(field, i int) (end int, err error) {
		if field == fieldAEAD {
			return aead(i)
		}
		if end, err = skipValue(data, i, MaxHandshakeDepth); err != nil {
			return end, err
		}
		switch field {
		case fieldKey:
			err = key.UnmarshalJSON(data[i:end])
		case fieldKEM:
			err = kem.UnmarshalJSON(data[i:end])
		}
		return end, err
	})
}

// scanAEADs reads the list of names at data[i], at most MaxSessionAEADs, and returns the index after it. A null list is
// empty.
func scanAEADs(data []byte, i int) (names []string, end int, err error) {
	if isNull(data, i) {
		return nil, i + len("null"), nil
	}
	if i >= len(data) || data[i] != '[' {
		return nil, i, malformedAt("session: expected a list of aeads", i)
	}
	if i = skipSpace(data, i+1); i < len(data) && data[i] == ']' {
		return nil, i + 1, nil
	}
	names = make([]string, 0, 2) // as many as this project offers
	for {
		if len(names) == MaxSessionAEADs {
			return nil, i, malformed("session with more than " + strconv.Itoa(MaxSessionAEADs) + " aeads")
		}
		name, end, err := scanName(data, i)
		if err != nil {
			return nil, end, err
		}
		names = append(names, name)
		i = skipSpace(data, end)
		switch {
		case i < len(data) && data[i] == ',':
			i = skipSpace(data, i+1)
		case i < len(data) && data[i] == ']':
			return names, i + 1, nil
		default:
			return nil, i, malformedAt("expected a comma or closing bracket", i)
		}
	}
}

// scanName reads the string at data[i] and returns the index after it.
func scanName(data []byte, i int) (name string, end int, err error) {
	end, plain, err := skipString(data, i)
	if err != nil {
		return "", end, err
	}
	inside := data[i+1 : end-1]
	if !plain {
		inside = appendUnescaped(nil, inside)
	}
	return string(inside), end, nil
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
	if slices.Contains(features[:min(len(features), MaxFeatures)], FeatureSession) == present {
		return nil
	}
	if present {
		return malformed("key session without the feature " + FeatureSession)
	}
	return malformed("feature " + FeatureSession + " without the key session")
}
