package crypto

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/Snider/Borg/pkg/smsg"
)

// The expected values were computed with Python's hashlib from protocol section 7.
func TestNewBindMatchesIndependentValues(t *testing.T) {
	for role, want := range map[Role]string{
		Initiator: "nJ4i9M1moz5JJdHxsm7lpHr2OdaQjeDYbSAQNMaAYck=",
		Responder: "oxFwFRfMw6HLiYiqAO3sWM6wsm7MVX8houJQAk/hIdc=",
	} {
		if got := NewBind(role, []byte("handshake"), []byte("handshake_ack")); string(got[:]) != want {
			t.Errorf("role %c: %s, want %s", role, got[:], want)
		}
	}
}

func TestBoundFrameOpensEverywhere(t *testing.T) {
	codec, secret := mustCodec(t), password(t)
	bind := NewBind(Initiator, []byte("a"), []byte("b"))
	sealer := mustSealer(t, codec)
	sealer.Bind(bind)
	for _, now := range []int64{1, 1773234159} {
		frame := sealer.Seal(nil, EscapeBody(nil, []byte(`{"id":"x"}`)), now)
		if want := FrameSize(len(`{\"id\":\"x\"}`), now) + BindSize; len(frame) != want {
			t.Errorf("a frame of %d bytes, want %d", len(frame), want)
		}
		msg, err := smsg.Decrypt(frame, secret)
		if err != nil || msg.Body != `{"id":"x"}` || msg.Meta["bind"] != string(bind[:]) {
			t.Errorf("the reference library reads %+v, %v", msg, err)
		}
		plaintext, err := codec.NewOpener().Decrypt(bytes.Clone(frame))
		if err != nil {
			t.Fatal(err)
		}
		body, _, got, err := plaintext.Body(0)
		if err != nil || string(body) != `{"id":"x"}` || string(got) != string(bind[:]) {
			t.Errorf("body %s, bind %s, %v", body, got, err)
		}
	}
}

// Every form of a bind is read alike by the fast path for the usual end and by the scanner.
func TestBodyReadsBind(t *testing.T) {
	good := strings.Repeat("A", len(Bind{}))
	for end, want := range map[string]string{
		`"}`:                           "none",
		`","timestamp":1}`:             "none",
		`","timestamp":1,"meta":null}`: "none",
		`","timestamp":1,"meta":{}}`:   "none",
		`","timestamp":1,"meta":{"x":{"bind":"` + good + `"}}}`:                          "none",
		`","bind":"` + good + `"}`:                                                       "none",
		`","timestamp":1,"meta":{"bind":"` + good + `"}}`:                                good,
		`","meta":{"bind":"` + good + `"},"timestamp":1}`:                                good,
		`","timestamp":1, "meta":{"a":1,"bind":"` + good + `","b":[]}}`:                  good,
		`","timestamp":1,"meta":{"bind":"\u0041` + good[1:] + `"}}`:                      good,
		`","timestamp":1,"meta":{"bind":"` + good[1:] + `"}}`:                            "",
		`","timestamp":1,"meta":{"bind":"` + good + `="}}`:                               "",
		`","timestamp":1,"meta":{"bind":7}}`:                                             "",
		`","timestamp":1,"meta":{"bind":null}}`:                                          "",
		`","timestamp":1,"meta":{"bind":"` + good + `","bind":"` + good + `"}}`:          "",
		`","timestamp":1,"meta":{"bind":"` + good + `"},"meta":{"bind":"` + good + `"}}`: "",
	} {
		for _, start := range []string{`{"body":"x`, `{ "body":"x`} {
			_, _, got, err := Plaintext(start + end).Body(0)
			if err != nil {
				t.Errorf("%s: %v", start+end, err)
			}
			if is := string(got); got == nil && want != "none" || got != nil && is != want {
				t.Errorf("%s: bind %q, want %q", start+end, got, want)
			}
		}
	}
}

// The expected value was computed with Python's hmac module from protocol section 7.
func TestChallengeIsRecognisedByKeyHolders(t *testing.T) {
	key := make([]byte, KeySize)
	for i := range key {
		key[i] = byte(i + 1)
	}
	manager := func(key []byte) *NodeManager {
		m, err := NodeManagerFromPrivateKey(key, "a", RoleDual, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	own, sameKey := manager(key), manager(key)
	c, err := own.NewChallenge(strings.NewReader("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "cf218c11d5c3ac8e16c7c8783f5c2660"
	if got := string(c[:16]); got != "0123456789abcdef" {
		t.Errorf("random part %q", got)
	}
	if got := hex.EncodeToString(c[16:]); got != want {
		t.Errorf("mark %s, want %s", got, want)
	}
	if !own.IsOwnChallenge(c) || !sameKey.IsOwnChallenge(c) {
		t.Error("a holder of the key does not recognise the challenge")
	}
	other := bytes.Clone(key)
	other[31] ^= 4
	if manager(other).IsOwnChallenge(c) || (&NodeManager{}).IsOwnChallenge(c) {
		t.Error("another key recognises the challenge")
	}
	for i := range c {
		changed := c
		changed[i] ^= 1
		if own.IsOwnChallenge(changed) {
			t.Errorf("byte %d does not count", i)
		}
	}
}
