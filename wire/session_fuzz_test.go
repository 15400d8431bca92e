package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzSessionKeys compares the decoder of the key session with encoding/json, which reads each member on its own.
func FuzzSessionKeys(f *testing.F) {
	key, kem := encoded(SessionKeySize), encoded(SessionKEMOfferSize)
	for _, session := range []string{
		`{"aeads":["aes256gcm","chacha20poly1305"],"key":"` + key + `"}`,
		`{"aead":"aes256gcm","key":"` + key + `","kem":null}`,
		` { "aeads" : [ "a" , "\u00e9\n" ] , "kem" : "` + kem + `", "key" : "` + key + `", "x":[{}] } `,
		`{"\u0061eads":["a"],"key":"` + key + `"}`,
		`{"aeads":["a",null],"key":"` + key + `"}`,
		`{"AEADs":["a"],"Key":"` + key + `"}`,
		`{"aeads":[],"key":"` + key + `"}`, `{"aeads":{},"key":1}`, `{"aeads":["a"`, `null`, `[]`, ``,
	} {
		f.Add([]byte(session))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if repeatsKey(data) {
			t.Skip() // the reference does not read the earlier value
		}
		var offer SessionOffer
		err := offer.UnmarshalJSON(data)
		want, ok := referenceOffer(data)
		if ok != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) || ok && !reflect.DeepEqual(offer, want) {
			t.Errorf("offer %q: %+v, %v; want %+v, %v", data, offer, err, want, ok)
		}
		var answer SessionAnswer
		err = answer.UnmarshalJSON(data)
		wantAnswer, ok := referenceAnswer(data)
		if ok != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) || ok && !reflect.DeepEqual(answer, wantAnswer) {
			t.Errorf("answer %q: %+v, %v; want %+v, %v", data, answer, err, wantAnswer, ok)
		}
	})
}

// referenceOffer decodes an offer with encoding/json.
func referenceOffer(data []byte) (offer SessionOffer, ok bool) {
	members, ok := referenceKeys(data, &offer.Key, &offer.KEM)
	var names []*string
	if !ok || json.Unmarshal(members["aeads"], &names) != nil || len(names) == 0 || len(names) > MaxSessionAEADs ||
		slices.Contains(names, nil) || len(offer.Key) != SessionKeySize ||
		offer.KEM != nil && len(offer.KEM) != SessionKEMOfferSize {
		return offer, false
	}
	for _, name := range names {
		offer.AEADs = append(offer.AEADs, *name)
	}
	return offer, true
}

// referenceAnswer decodes an answer with encoding/json.
func referenceAnswer(data []byte) (answer SessionAnswer, ok bool) {
	members, ok := referenceKeys(data, &answer.Key, &answer.KEM)
	return answer, ok && json.Unmarshal(members["aead"], &answer.AEAD) == nil && answer.AEAD != "" &&
		len(answer.Key) == SessionKeySize && (answer.KEM == nil || len(answer.KEM) == SessionKEMAnswerSize)
}

// referenceKeys returns the members of an object by their exact keys, and decodes both keys.
func referenceKeys(data []byte, key, kem *Base64) (members map[string]json.RawMessage, ok bool) {
	if checkObject(data, MaxHandshakeDepth) != nil || json.Unmarshal(data, &members) != nil {
		return nil, false
	}
	for name, into := range map[string]*Base64{"key": key, "kem": kem} {
		if raw, present := members[name]; present && json.Unmarshal(raw, into) != nil {
			return nil, false
		}
	}
	return members, true
}

// repeatsKey reports whether the object has two members with the same key.
func repeatsKey(data []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	tokens, depth := 0, 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return tokens != 2*len(members)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth == 2 {
				tokens++ // the value of a member
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		default:
			if depth == 1 {
				tokens++
			}
		}
	}
}

func TestSessionOfferDecodesWithFewAllocations(t *testing.T) {
	const limit = 4 // the list, its two names and the key
	data := []byte(`{"aeads":["aes256gcm","chacha20poly1305"],"key":"` + encoded(SessionKeySize) + `"}`)
	var offer SessionOffer
	n := testing.AllocsPerRun(100, func() {
		if err := offer.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
	})
	if n > limit || len(offer.AEADs) != 2 {
		t.Errorf("%v allocations, %+v", n, offer)
	}
}

func TestSessionKeysMatchExactly(t *testing.T) {
	good := `{"aeads":["a"],"aead":"a","key":"` + encoded(SessionKeySize) + `"}`
	for _, kind := range []MessageType{MsgHandshake, MsgHandshakeAck} {
		if _, err := decodeSessions(kind, withSession, good); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"aead", "key"} {
			other := strings.ReplaceAll(good, `"`+key, `"`+strings.ToUpper(key))
			if got, err := decodeSessions(kind, withSession, other); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, %s: %+v, %v", kind, other, got, err)
			}
		}
	}
}
