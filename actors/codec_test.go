package actors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/Borg/pkg/smsg"

	"github.com/Snider/go-p2p/crypto"
	ours "github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// frameVector is a vector of the protocol: a frame, with its message or the reason for its refusal.
type frameVector struct {
	Name, JSON, Why string
	Frame           []byte
}

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../crypto/testdata/vectors/" + name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newTestCodec(t *testing.T, secret crypto.SharedSecret) *smsgCodec {
	t.Helper()
	c, err := newSMSG(secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// vectorCodec returns a codec with the secret of the vectors.
func vectorCodec(t *testing.T) *smsgCodec {
	t.Helper()
	var keys struct{ SharedSecret []byte }
	readVectors(t, "keys.json", &keys)
	return newTestCodec(t, crypto.SharedSecret(keys.SharedSecret))
}

func TestCodecOpensTheVectors(t *testing.T) {
	c := vectorCodec(t)
	var frames []frameVector
	readVectors(t, "frames.json", &frames)
	for _, v := range frames {
		msg, mark, err := c.read(v.Frame)
		if err != nil || mark != markAbsent {
			t.Errorf("%s: mark %v, %v", v.Name, mark, err)
			continue
		}
		if text, err := msg.AppendJSON(nil); err != nil || !sameJSON(text, []byte(v.JSON)) {
			t.Errorf("%s: %s, %v; want %s", v.Name, text, err, v.JSON)
		}
	}
	if len(frames) != 9 {
		t.Errorf("%d vectors", len(frames))
	}
}

func sameJSON(a, b []byte) bool {
	var x, y map[string]any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x) != len(y) {
		return false
	}
	p, errP := json.Marshal(x)
	q, errQ := json.Marshal(y)
	return errP == nil && errQ == nil && bytes.Equal(p, q)
}

func TestCodecRefusesTheVectors(t *testing.T) {
	c := vectorCodec(t)
	var frames []frameVector
	readVectors(t, "refused-frames.json", &frames)
	malformed := map[string]bool{ // frames that open, with no valid message in them
		"body is no Message": true, "body is a JSON array": true, "body without an id": true, "time that is no time": true,
	}
	for _, v := range frames {
		if msg, mark, err := c.read(v.Frame); msg != nil || err == nil || (mark != markNone) != malformed[v.Name] {
			t.Errorf("%s (%s): %+v, mark %v, %v", v.Name, v.Why, msg, mark, err)
		}
	}
	if len(frames) != 17 {
		t.Errorf("%d vectors", len(frames))
	}
}

// The reference library and our own codec read every message that the codec seals.
func TestSealedMessagesOpenEverywhere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "0123456789abcdef", `"`, `\`, "\n", "\x00", "é", "🚀", "\u2028", "<", "/"}
	text := func() string {
		var s string
		for range 1 + random.IntN(4) {
			s += pieces[random.IntN(len(pieces))]
		}
		return s
	}
	secret := crypto.SharedSecret{1}
	password := base64.StdEncoding.EncodeToString(secret[:])
	node := &Node{}
	here, there := newTestCodec(t, secret), newTestCodec(t, secret)
	bind := crypto.NewBind(crypto.Initiator, []byte("a"), []byte("b"))
	here.bind(bind, crypto.Bind{})
	there.bind(crypto.Bind{}, bind)
	for range 500 {
		msg, err := wire.NewMessage(wire.MessageType(text()), text(), text(), map[string]any{
			text(): text(),
			"n":    []any{text(), nil, 1.5},
		})
		if err != nil {
			t.Fatal(err)
		}
		msg.ReplyTo = text()
		f, err := node.encodeSMSG(msg)
		if err != nil {
			t.Fatal(err)
		}
		size := smsgSize(f.data)
		frame := here.seal(f.data)
		if len(frame) != size {
			t.Fatalf("a frame of %d bytes, counted as %d", len(frame), size)
		}
		plain, err := msg.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := smsg.Decrypt(frame, password)
		if err != nil || theirs.Body != string(plain) || theirs.Meta["bind"] != string(bind[:]) ||
			time.Now().Unix()-theirs.Timestamp > 5 {
			t.Fatalf("the reference reads %+v, %v; want %s", theirs, err, plain)
		}
		got, mark, err := there.read(frame)
		if err != nil || mark != markBound {
			t.Fatalf("mark %v, %v", mark, err)
		}
		if again, err := got.AppendJSON(nil); err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("%s, %v; want %s", again, err, plain)
		}
	}
}

// The bind of an opened frame is checked even without a message; an invalid plaintext has no bind.
func TestBindIsJudgedBeforeTheMessage(t *testing.T) {
	foreign := crypto.NewBind(crypto.Initiator, []byte("another"), []byte("connection"))
	body := func(p *remote, b crypto.Bind) []byte {
		p.bind(b)
		return p.codec.seal(append(make([]byte, ours.Headroom), `{"body":"{}","timestamp":1`...))
	}
	for name, c := range map[string]struct {
		frame  func(p *remote) []byte
		counts map[Counter]uint64
	}{
		"no message, right bind": {
			func(p *remote) []byte { return body(p, p.ownBind) },
			map[Counter]uint64{FramesMalformed: 1, MessagesRefused: 0, DowngradesRefused: 0},
		},
		"no message, reflected": {
			func(p *remote) []byte { return body(p, p.nodeBind) },
			map[Counter]uint64{FramesMalformed: 0, MessagesRefused: 1, DowngradesRefused: 0},
		},
		"no message, foreign": {
			func(p *remote) []byte { return body(p, foreign) },
			map[Counter]uint64{FramesMalformed: 0, MessagesRefused: 0, DowngradesRefused: 1},
		},
		"no plaintext": {
			func(p *remote) []byte { return p.codec.sealer.Seal(nil, []byte(`{"timestamp":1}`)) },
			map[Counter]uint64{FramesMalformed: 1, MessagesRefused: 0, DowngradesRefused: 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.openBound(modern)
				p.sendFrame(c.frame(p))
				r.want(c.counts)
			})
		})
	}
}
