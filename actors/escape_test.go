package actors

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// What a message is escaped to in one pass is what its JSON text is escaped to, whatever is in it.
func TestEscapeInOnePass(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "0123456789abcdef", `"`, `\`, "\n", "\x00", "é", "🚀", "\u2028", "\xff", "<", "/"}
	text := func() string {
		var s string
		for range random.IntN(8) {
			s += pieces[random.IntN(len(pieces))]
		}
		return s
	}
	escape := func(msg *wire.Message) []byte {
		escaped, err := msg.AppendEscaped(nil, crypto.EscapeBody)
		if err != nil {
			t.Fatal(err)
		}
		return escaped
	}
	for range 5000 {
		payload, err := json.Marshal(map[string]any{text(): text(), "n": []any{text(), nil, 1.5}})
		if err != nil {
			t.Fatal(err)
		}
		msg := &wire.Message{
			ID: text(), Type: wire.MessageType(text()), From: text(), To: text(), ReplyTo: text(), Payload: payload,
			Timestamp: time.Unix(random.Int64N(4e9), random.Int64N(1e9)),
		}
		plain, err := msg.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := escape(msg), crypto.EscapeBody(nil, plain); !bytes.Equal(got, want) {
			t.Fatalf("%q is escaped to\n%s, want\n%s", plain, got, want)
		}
	}
}
