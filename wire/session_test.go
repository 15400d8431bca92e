package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// encoded is base64 of n bytes.
func encoded(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }

const withSession = `"features":["single-connection","session/1"]`

// decodeSessions decodes a handshake or an accepting ack with the given value of the key session.
func decodeSessions(kind MessageType, features, session string) (any, error) {
	payload := `{"accepted":true`
	if features != "" {
		payload += "," + features
	}
	if session != "" {
		payload += `,"session":` + session
	}
	m := &Message{Type: kind, Payload: json.RawMessage(payload + "}")}
	if kind == MsgHandshake {
		p, err := DecodeHandshake(m)
		return p.Session, err
	}
	p, err := DecodeHandshakeAck(m)
	return p.Session, err
}

func TestSessionKeysMatchTheWire(t *testing.T) {
	key, kem, answer := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{7}, 1184), bytes.Repeat([]byte{7}, 1088)
	features := []string{FeatureSingleConnection, FeatureSession}
	for want, session := range map[string]*SessionOffer{
		`{"aeads":["aes256gcm","b"],"key":"` + encoded(32) + `"}`: {AEADs: []string{"aes256gcm", "b"}, Key: key},
		`{"aeads":["a"],"key":"` + encoded(32) + `","kem":"` + encoded(1184) + `"}`: {
			AEADs: []string{"a"}, Key: key, KEM: kem,
		},
	} {
		payload := HandshakePayload{Identity: alice, Version: "1.0", Features: features, Session: session}
		want = `{"identity":` + aliceJSON + `,"challenge":null,"version":"1.0",` + withSession + `,"session":` + want + `}`
		text, err := MarshalJSON(payload)
		if err != nil || string(text) != want {
			t.Fatalf("got  %s, %v\nwant %s", text, err, want)
		}
		again, err := DecodeHandshake(&Message{Type: MsgHandshake, Payload: text})
		if err != nil || !reflect.DeepEqual(again, payload) {
			t.Errorf("decoded %+v, %v", again, err)
		}
	}
	for want, session := range map[string]*SessionAnswer{
		`{"aead":"aes256gcm","key":"` + encoded(32) + `"}`: {AEAD: "aes256gcm", Key: key},
		`{"aead":"a","key":"` + encoded(32) + `","kem":"` + encoded(1088) + `"}`: {
			AEAD: "a", Key: key, KEM: answer,
		},
	} {
		payload := HandshakeAckPayload{Identity: alice, Accepted: true, Features: features, Session: session}
		want = `{"identity":` + aliceJSON + `,"accepted":true,` + withSession + `,"session":` + want + `}`
		text, err := MarshalJSON(payload)
		if err != nil || string(text) != want {
			t.Fatalf("got  %s, %v\nwant %s", text, err, want)
		}
		again, err := DecodeHandshakeAck(&Message{Type: MsgHandshakeAck, Payload: text})
		if err != nil || !reflect.DeepEqual(again, payload) {
			t.Errorf("decoded %+v, %v", again, err)
		}
	}
}

func TestDecodeHandshakeAcceptsUnusualSessions(t *testing.T) {
	key := `"key":"` + encoded(32) + `"`
	plain := &SessionOffer{AEADs: []string{"a"}, Key: bytes.Repeat([]byte{7}, 32)}
	for session, want := range map[string]*SessionOffer{
		`{"kem":null,"aeads":["a"],"later":{"x":[1]},` + key + `}`: plain,
		`{"aeads":["b"],"kem":"` + encoded(1184) + `",` + key + `},"session":` +
			`{"aeads":["a"],` + key + `}`: plain, // the last of two keys counts, alone
		`{"aeads":["","é","1","2","3","4","5","` + strings.Repeat("x", 100) + `"],` + key + `}`: {
			AEADs: []string{"", "é", "1", "2", "3", "4", "5", strings.Repeat("x", 100)}, Key: plain.Key,
		},
	} {
		got, err := decodeSessions(MsgHandshake, withSession, session)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", session, got, err)
		}
	}
}

func TestDecodeHandshakeRefusesInvalidSessions(t *testing.T) {
	spare := strings.TrimSuffix(encoded(32), "c=") + "d=" // the same 32 bytes with spare bits
	for _, kind := range []MessageType{MsgHandshake, MsgHandshakeAck} {
		name, kem := `"aeads":["a"]`, 1184
		if kind == MsgHandshakeAck {
			name, kem = `"aead":"a"`, 1088
		}
		good := fmt.Sprintf(`{%s,"key":"%s","kem":"%s"}`, name, encoded(32), encoded(kem))
		if _, err := decodeSessions(kind, withSession, good); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		for what, session := range map[string]string{
			"array":                `[]`,
			"text":                 `"session"`,
			"true":                 `true`,
			"empty":                `{}`,
			"no key":               fmt.Sprintf(`{%s}`, name),
			"null key":             fmt.Sprintf(`{%s,"key":null}`, name),
			"empty key":            fmt.Sprintf(`{%s,"key":""}`, name),
			"31 bytes":             fmt.Sprintf(`{%s,"key":"%s"}`, name, encoded(31)),
			"33 bytes":             fmt.Sprintf(`{%s,"key":"%s"}`, name, encoded(33)),
			"number as key":        fmt.Sprintf(`{%s,"key":7}`, name),
			"spare bits":           fmt.Sprintf(`{%s,"key":"%s"}`, name, spare),
			"no padding":           fmt.Sprintf(`{%s,"key":"%s"}`, name, strings.TrimSuffix(encoded(32), "=")),
			"newline":              fmt.Sprintf(`{%s,"key":"%s\n"}`, name, encoded(32)),
			"empty kem":            fmt.Sprintf(`{%s,"key":"%s","kem":""}`, name, encoded(32)),
			"kem too short":        fmt.Sprintf(`{%s,"key":"%s","kem":"%s"}`, name, encoded(32), encoded(kem-1)),
			"kem too long":         fmt.Sprintf(`{%s,"key":"%s","kem":"%s"}`, name, encoded(32), encoded(kem+1)),
			"kem of the other":     fmt.Sprintf(`{%s,"key":"%s","kem":"%s"}`, name, encoded(32), encoded(1184+1088-kem)),
			"no name":              fmt.Sprintf(`{"key":"%s"}`, encoded(32)),
			"null names":           fmt.Sprintf(`{"aeads":null,"aead":null,"key":"%s"}`, encoded(32)),
			"no names":             fmt.Sprintf(`{"aeads":[],"aead":"","key":"%s"}`, encoded(32)),
			"null as a name":       fmt.Sprintf(`{"aeads":["a",null],"key":"%s"}`, encoded(32)),
			"number as a name":     fmt.Sprintf(`{"aeads":[1],"aead":1,"key":"%s"}`, encoded(32)),
			"text as list":         fmt.Sprintf(`{"aeads":"a","aead":["a"],"key":"%s"}`, encoded(32)),
			"nine names":           fmt.Sprintf(`{"aeads":["1","2","3","4","5","6","7","8","9"],"key":"%s"}`, encoded(32)),
			"earlier key is wrong": fmt.Sprintf(`{%s,"key":"AA=="},"session":%s`, name, good),
		} {
			if got, err := decodeSessions(kind, withSession, session); !errors.Is(err, ErrMalformed) || len(err.Error()) > 300 {
				t.Errorf("%s, %s: %+v, %v", kind, what, got, err)
			}
		}
	}
}

func TestSessionFeatureAndKeyComeTogether(t *testing.T) {
	offer := fmt.Sprintf(`{"aeads":["a"],"key":"%s"}`, encoded(32))
	answer := fmt.Sprintf(`{"aead":"a","key":"%s"}`, encoded(32))
	late := `"features":[` + strings.Repeat(`"x",`, MaxFeatures) + `"session/1"]` // beyond the entries that are read
	for _, tt := range []struct {
		features string
		key, ok  bool
	}{
		{``, false, true},
		{`"features":["single-connection"]`, false, true},
		{withSession, true, true},
		{withSession, false, false},
		{``, true, false},
		{`"features":["session/2"]`, true, false},
		{`"features":["SESSION/1"]`, true, false},
		{late, true, false},
		{late, false, true},
	} {
		for kind, session := range map[MessageType]string{MsgHandshake: offer, MsgHandshakeAck: answer} {
			if !tt.key {
				session = ""
			}
			_, err := decodeSessions(kind, tt.features, session)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, %s, key %v: %v", kind, tt.features, tt.key, err)
			}
			if tt.key {
				continue
			}
			if _, err := decodeSessions(kind, tt.features, "null"); (err == nil) != tt.ok {
				t.Errorf("%s, %s, null: %v", kind, tt.features, err)
			}
		}
	}
	refusal := `{"accepted":false,"reason":"r",` + withSession + `}`
	m := &Message{Type: MsgHandshakeAck, Payload: json.RawMessage(refusal)}
	if ack, err := DecodeHandshakeAck(m); err != nil || ack.Reason != "r" {
		t.Errorf("a refusal with the feature: %+v, %v", ack, err)
	}
}
