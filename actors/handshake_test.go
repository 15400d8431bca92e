package actors

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

func newKeys(t testing.TB, name string) *crypto.NodeManager {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// encodeLogin returns the wire form of a handshake or ack.
func encodeLogin(t testing.TB, kind wire.MessageType, payload any) []byte {
	t.Helper()
	msg, err := wire.NewMessage(kind, "", "", payload)
	if err != nil {
		t.Fatal(err)
	}
	data, err := msg.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goodHandshake(keys *crypto.NodeManager) wire.HandshakePayload {
	return wire.HandshakePayload{
		Identity:  identityOnWire(keys.Identity()),
		Challenge: []byte(strings.Repeat("c", crypto.ChallengeSize)),
		Version:   "1.0",
		Features:  []string{"single-connection", "unheard-of"},
	}
}

// refusedKeys returns the invalid keys of the protocol's vectors.
func refusedKeys(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("../crypto/testdata/vectors/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct{ RefusedPublicKeys []string }
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.RefusedPublicKeys) == 0 {
		t.Fatal("no refused keys in the vectors")
	}
	return vectors.RefusedPublicKeys
}

func TestReadHandshakeAccepts(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	got, challenge, no := readHandshake(encodeLogin(t, wire.MsgHandshake, goodHandshake(peer)), self.PublicKey(), true)
	if no != nil {
		t.Fatalf("refused: %s: %v", no.reason, no.detail)
	}
	if got.identity.ID != peer.Identity().ID || got.key != peer.PublicKey() || got.identity.Name != "peer" {
		t.Errorf("got %+v", got)
	}
	if string(challenge[:]) != strings.Repeat("c", 32) {
		t.Errorf("challenge %q", challenge)
	}
	if len(got.features) != 2 || got.features[0] != wire.FeatureSingleConnection {
		t.Errorf("features %q", got.features)
	}
}

// identityFaults returns identities that are invalid for either side, by name.
func identityFaults(t testing.TB, self, peer *crypto.NodeManager) map[string]func(*wire.Identity) {
	stranger := newKeys(t, "stranger").Identity()
	key := peer.Identity().PublicKey
	faults := map[string]func(*wire.Identity){
		"id of another":  func(id *wire.Identity) { id.ID = stranger.ID },
		"key of another": func(id *wire.Identity) { id.PublicKey = stranger.PublicKey },
		"empty id":       func(id *wire.Identity) { id.ID = "" },
		"upper-case id":  func(id *wire.Identity) { id.ID = strings.ToUpper(id.ID) },
		"longer id":      func(id *wire.Identity) { id.ID += "00" },
		"id of 10 KB":    func(id *wire.Identity) { id.ID = strings.Repeat("a", 10<<10) },
		"empty key":      func(id *wire.Identity) { id.PublicKey = "" },
		"key of 31 bytes": func(id *wire.Identity) {
			id.PublicKey = base64.StdEncoding.EncodeToString(make([]byte,
				31))
		},
		"key of 33 bytes": func(id *wire.Identity) {
			id.PublicKey = base64.StdEncoding.EncodeToString(make([]byte,
				33))
		},
		"key without padding":       func(id *wire.Identity) { id.PublicKey = strings.TrimRight(key, "=") },
		"key with a newline":        func(id *wire.Identity) { id.PublicKey = key[:20] + "\n" + key[20:] },
		"key with trailing newline": func(id *wire.Identity) { id.PublicKey = key + "\n" },
		"key with spare bits":       func(id *wire.Identity) { id.PublicKey = spareBits(key) },
		"key with its top bit":      func(id *wire.Identity) { id.PublicKey = topBit(t, key) },
		"name of 256 bytes":         func(id *wire.Identity) { id.Name = strings.Repeat("n", 256) },
		"name of 7 KB":              func(id *wire.Identity) { id.Name = strings.Repeat("N", 7<<10) },
		"name with a newline":       func(id *wire.Identity) { id.Name = "a\nb" },
		"name with an escape":       func(id *wire.Identity) { id.Name = "a\x1b[31m" },
		"name with U+0085":          func(id *wire.Identity) { id.Name = "a\u0085" },
		"empty role":                func(id *wire.Identity) { id.Role = "" },
		"role of 7 KB":              func(id *wire.Identity) { id.Role = strings.Repeat("R", 7<<10) },
		"role in upper case":        func(id *wire.Identity) { id.Role = "Dual" },
		"role with an escape":       func(id *wire.Identity) { id.Role = "dual\x1b]8;;x\a" },
		"our own identity":          func(id *wire.Identity) { *id = identityOnWire(self.Identity()) },
	}
	for i, text := range refusedKeys(t) {
		faults["refused key "+string(rune('a'+i))] = func(id *wire.Identity) {
			id.PublicKey = text
			if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == crypto.KeySize {
				id.ID = crypto.PublicKey(raw).NodeID()
			}
		}
	}
	return faults
}

// spareBits sets an unused bit of the last base64 character.
func spareBits(key string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return key[:42] + string(alphabet[strings.IndexByte(alphabet, key[42])|1]) + "="
}

func topBit(t testing.TB, key string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	raw[31] |= 0x80
	return base64.StdEncoding.EncodeToString(raw)
}

func TestReadHandshakeRefusesIdentities(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	for name, spoil := range identityFaults(t, self, peer) {
		payload := goodHandshake(peer)
		spoil(&payload.Identity)
		_, _, no := readHandshake(encodeLogin(t, wire.MsgHandshake, payload), self.PublicKey(), true)
		if no == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if no.reason != "invalid handshake" || !errors.Is(no.detail, ErrHandshake) || len(no.detail.Error()) > 300 {
			t.Errorf("%s: told %q, logged %v", name, no.reason, no.detail)
		}
	}
}

func TestReadHandshakeIgnoresExcessFeatures(t *testing.T) {
	self, payload := newKeys(t, "self"), goodHandshake(newKeys(t, "peer"))
	payload.Features = []string{"\x1b[31m", strings.Repeat("f", 65), "single-connection"}
	for i := range 40 {
		payload.Features = append(payload.Features, "feature/"+strconv.Itoa(i))
	}
	got, _, no := readHandshake(encodeLogin(t, wire.MsgHandshake, payload), self.PublicKey(), true)
	if no != nil {
		t.Fatal(no.detail)
	}
	if len(got.features) != 30 || got.features[0] != "single-connection" || got.features[29] != "feature/28" {
		t.Errorf("kept %q, want the valid ones of the first 32", got.features)
	}
}

func TestReadHandshakeRefusesMalformedPayloads(t *testing.T) {
	const envelope = `{"id":"1","type":"handshake","from":"","to":"","ts":"2026-01-02T03:04:05Z","payload":`
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	good := string(encodeLogin(t, wire.MsgHandshake, goodHandshake(peer)))
	challenge := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("c", 32)))
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in %s", old, good)
		}
		return strings.Replace(good, old, with, 1)
	}
	cases := map[string]string{
		"empty":                     "",
		"no JSON":                   "hello",
		"an array":                  "[]",
		"two objects":               good + good,
		"null":                      "null",
		"another type":              swap(`"type":"handshake"`, `"type":"ping"`),
		"an ack":                    swap(`"type":"handshake"`, `"type":"handshake_ack"`),
		"type of 10 KB":             swap(`"type":"handshake"`, `"type":"`+strings.Repeat("x", 10<<10)+`"`),
		"payload null":              envelope + "null}",
		"payload a string":          envelope + `"x"}`,
		"payload nested 5,000 deep": envelope + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"features nested 5,000 deep": swap(`["single-connection","unheard-of"]`,
			strings.Repeat("[", 5000)+strings.Repeat("]", 5000)),
		"challenge missing":            swap(`"challenge":"`+challenge+`",`, ``),
		"challenge empty":              swap(challenge, ""),
		"challenge of 31 bytes":        swap(challenge, base64.StdEncoding.EncodeToString(make([]byte, 31))),
		"challenge of 33 bytes":        swap(challenge, base64.StdEncoding.EncodeToString(make([]byte, 33))),
		"challenge with spare bits":    swap(challenge, spareBits(challenge)),
		"challenge with a newline":     swap(challenge, challenge[:4]+`\n`+challenge[4:]),
		"challenge without padding":    swap(challenge, strings.TrimRight(challenge, "=")),
		"challenge in URL base64":      swap(challenge, "-_"+challenge[2:]),
		"id of 65 bytes":               strings.Replace(good, `"id":"`, `"id":"`+strings.Repeat("x", 65-36), 1),
		"a stamp that is none":         swap(`"ts":"`, `"ts":"x`),
		"createdAt that is none":       swap(`"createdAt":"`, `"createdAt":"x`),
		"createdAt 24 hours off":       swap(`Z","role"`, `+24:00","role"`),
		"name that is not UTF-8":       swap(`"name":"peer"`, `"name":"`+"\xff"+`"`),
		"an identity that is a number": swap(`"identity":{`, `"identity":7,"x":{`),
	}
	for name, text := range cases {
		_, _, no := readHandshake([]byte(text), self.PublicKey(), true)
		if no == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if no.reason != "invalid handshake" || !errors.Is(no.detail, ErrHandshake) || len(no.detail.Error()) > 300 {
			t.Errorf("%s: told %q, logged %v", name, no.reason, no.detail)
		}
	}
}

func TestReadHandshakeChecksVersion(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	for _, version := range []string{"", "1", "1.0 ", "1.1", "2.0", strings.Repeat("9", 1000), "a\nb"} {
		payload := goodHandshake(peer)
		payload.Version = version
		payload.Identity.ID = "whoever: the version comes first, as with deployed nodes"
		_, _, no := readHandshake(encodeLogin(t, wire.MsgHandshake, payload), self.PublicKey(), true)
		if no == nil {
			t.Errorf("version %q: accepted", version)
			continue
		}
		if want := wire.IncompatibleVersionReason(version); no.reason != want || strings.Contains(no.detail.Error(), "\n") {
			t.Errorf("version %q: told %q, want %q; logged %v", version, no.reason, want, no.detail)
		}
	}
	payload := goodHandshake(peer)
	payload.Version = "2.0"
	_, _, no := readHandshake(encodeLogin(t, wire.MsgHandshake, payload), self.PublicKey(), true)
	if want := "incompatible protocol version 2.0, supported: [1.0]"; no == nil || no.reason != want {
		t.Errorf("version 2.0: %v, want %q", no, want)
	}
}
