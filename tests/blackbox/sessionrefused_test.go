package blackbox

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

var b64 = base64.StdEncoding.EncodeToString

// inSessionKey changes one value of the key session.
func inSessionKey(name string, value any) func(map[string]any) {
	return func(payload map[string]any) { payload["session"].(map[string]any)[name] = value }
}

// badKeys are values of session.key that both sides refuse.
func badKeys(t *testing.T) map[string]any {
	key := func(text string) string {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b64(raw)
	}
	good := b64(session.NewKeyPair().Public)
	return map[string]any{
		"no text":            7,
		"null":               nil,
		"empty":              "",
		"31 bytes":           b64(make([]byte, 31)),
		"33 bytes":           b64(make([]byte, 33)),
		"without padding":    strings.TrimRight(good, "="),
		"with a line break":  good[:20] + "\n" + good[20:],
		"trailing bits":      good[:42] + string(good[42]+1) + "=", // the last digit of 32 bytes is a multiple of 4
		"zero":               b64(make([]byte, 32)),
		"one":                key("01" + strings.Repeat("00", 31)),
		"order 8":            key("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
		"order 8, the other": key("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
		"p-1":                key("ec" + strings.Repeat("ff", 30) + "7f"),
		"p":                  key("ed" + strings.Repeat("ff", 30) + "7f"),
		"p+1":                key("ee" + strings.Repeat("ff", 30) + "7f"),
		"one, top bit set":   key("01" + strings.Repeat("00", 30) + "80"),
	}
}

// TestBadOffersAreRefused: the node answers "invalid handshake", never a silent fallback.
func TestBadOffersAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	offers := map[string]func(map[string]any){
		"feature without key": func(p map[string]any) { delete(p, "session") },
		"key is null":         func(p map[string]any) { p["session"] = nil },
		"key without feature": func(p map[string]any) { delete(p, "features") },
		"key is a text":       func(p map[string]any) { p["session"] = "aes256gcm" },
		"key is an array":     func(p map[string]any) { p["session"] = []int{} },
		"no aeads":            inSessionKey("aeads", nil),
		"empty aeads":         inSessionKey("aeads", []string{}),
		"aeads is a text":     inSessionKey("aeads", session.AES256GCM),
		"unknown aeads":       inSessionKey("aeads", []string{"rot13", "AES256GCM"}),
		"nine aeads":          inSessionKey("aeads", slices.Repeat([]string{session.AES256GCM}, 9)),
		"aeads of numbers":    inSessionKey("aeads", []int{1}),
		"kem is empty":        inSessionKey("kem", ""),
		"kem of 1183 bytes":   inSessionKey("kem", b64(make([]byte, 1183))),
		"kem of 1185 bytes":   inSessionKey("kem", b64(make([]byte, 1185))),
		"kem not reduced":     inSessionKey("kem", b64(slices.Repeat([]byte{255}, 1184))),
		"own identity as key": inSessionKey("key", n.Hello.Str("publicKey")),
	}
	for name, value := range badKeys(t) {
		offers["key: "+name] = inSessionKey("key", value)
	}
	for name, spoil := range offers {
		o := refpeer.Options{Session: &refpeer.SessionOptions{}, Spoil: spoil}
		if reason := refusal(n, o); reason != "invalid handshake" {
			t.Errorf("%s: refused with %q", name, reason)
		}
	}
	n.AwaitCounter("handshakesRejected", float64(len(offers)))
	s := n.Status()
	if up := n.Count("peer_up"); s.Counters["handshakesAccepted"] != 0 || up != 0 || s.Connections.Established != 0 {
		t.Errorf("%v accepted, %d peer_up, %d connections; want none", s.Counters["handshakesAccepted"], up,
			s.Connections.Established)
	}
}

// TestBadAnswersAreRefused: the node closes, and connect fails.
func TestBadAnswersAreRefused(t *testing.T) {
	t.Parallel()
	n, pq := start(t), start(t, "--session-pq")
	type answer struct {
		n     *node
		spoil func(handshake []byte, payload map[string]any)
	}
	plain := func(change func(map[string]any)) answer {
		return answer{n, func(_ []byte, p map[string]any) { change(p) }}
	}
	hybrid := func(value string) answer {
		return answer{pq, func(_ []byte, p map[string]any) { inSessionKey("kem", value)(p) }}
	}
	answers := map[string]answer{
		"feature without key": plain(func(p map[string]any) { delete(p, "session") }),
		"key without feature": plain(func(p map[string]any) { delete(p, "features") }),
		"key is a text":       plain(func(p map[string]any) { p["session"] = "aes256gcm" }),
		"no aead":             plain(inSessionKey("aead", nil)),
		"aead not offered":    plain(inSessionKey("aead", "rot13")),
		"kem not asked for":   plain(inSessionKey("kem", b64(make([]byte, 1088)))),
		"kem of 1087 bytes":   hybrid(b64(make([]byte, 1087))),
		"kem of 1089 bytes":   hybrid(b64(make([]byte, 1089))),
		"kem is empty":        hybrid(""),
		"own identity as key": plain(inSessionKey("key", n.Hello.Str("publicKey"))),
		"own ephemeral key": {n, func(handshake []byte, p map[string]any) {
			var m struct {
				Payload struct{ Session struct{ Key string } }
			}
			if err := json.Unmarshal(handshake, &m); err != nil {
				t.Error(err)
			}
			inSessionKey("key", m.Payload.Session.Key)(p)
		}},
	}
	for name, value := range badKeys(t) {
		answers["key: "+name] = plain(inSessionKey("key", value))
	}
	rejected := map[*node]float64{}
	for name, tt := range answers {
		s := listening(t, refpeer.Options{Session: &refpeer.SessionOptions{}, SpoilAck: tt.spoil})
		if r := tt.n.run("connect", s.Addr(), "--timeout", "20s"); r.code == 0 {
			t.Errorf("%s: connect succeeds: %s", name, r.stdout)
		}
		if err := s.Refused(withTimeout(t)); err == nil {
			t.Errorf("%s: the reference peer got a record", name)
		}
		rejected[tt.n]++
	}
	for n, count := range rejected {
		n.AwaitCounter("handshakesRejected", count)
		if s := n.Status(); s.Counters["dialsFailed"] != count || n.Count("peer_up") != 0 {
			t.Errorf("dialsFailed %v, %d peer_up; want %v and none", s.Counters["dialsFailed"], n.Count("peer_up"), count)
		}
	}
}
