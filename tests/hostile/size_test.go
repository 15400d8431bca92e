package hostile

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// hello is the text of a good handshake.
func hello(t *testing.T, who *refpeer.Identity) string {
	t.Helper()
	e, err := refpeer.NewEnvelope(refpeer.TypeHandshake, who.ID, "", map[string]any{
		"identity": who.Public, "challenge": make([]byte, 32), "version": "1.0",
	})
	must(t, err)
	text, err := json.Marshal(e)
	must(t, err)
	return string(text)
}

// with adds a key that the protocol does not define to a JSON object.
func with(object, value string) string {
	return strings.TrimSuffix(object, "}") + `,"unknown":` + value + `}`
}

// TestHandshakeSizeIsLimited: 16 KiB are accepted; one byte more, a megabyte, or JSON nested 100,000 deep are refused.
func TestHandshakeSizeIsLimited(t *testing.T) {
	t.Parallel()
	const limit = 16 << 10
	n := nodetest.Start(t, nodetest.Options{})
	good := hello(t, identity(t, "large"))
	padded := func(size int) string {
		return with(good, `"`+strings.Repeat("x", size-len(with(good, `""`)))+`"`)
	}
	nested := func(depth int) string {
		return with(good, strings.Repeat("[", depth)+strings.Repeat("]", depth))
	}
	for name, tt := range map[string]struct {
		text   string
		status int // of the close frame; 0: the handshake is answered
	}{
		"16 KiB":              {padded(limit), 0},
		"16 KiB and a byte":   {padded(limit + 1), websocket.CloseMessageTooBig},
		"1 MiB":               {padded(1 << 20), websocket.CloseMessageTooBig},
		"nested 100,000 deep": {nested(100_000), websocket.CloseMessageTooBig},
		"nested 7,000 deep":   {nested(7_000), 0}, // below the size limit: an unknown key is ignored
	} {
		s := knock(t, n.URL())
		_ = s.WriteMessage(websocket.TextMessage, []byte(tt.text)) // the close may overtake it
		if tt.status == 0 {
			if a := s.answer(); !a.Accepted {
				t.Errorf("%s: refused: %q", name, a.Reason)
			}
			s.Close()
			continue
		}
		if got := s.end(); got != tt.status {
			t.Errorf("%s: closed with status %d, want %d", name, got, tt.status)
		}
	}
	n.AwaitConnections(0, 0)
	if got := n.Counter("handshakesRejected"); got != 3 {
		t.Errorf("handshakesRejected is %d, want 3", got)
	}
}

// TestDeepPayloadIsDelivered: an encrypted message may hold JSON nested 400,000 deep. It is delivered without harm.
func TestDeepPayloadIsDelivered(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{OnMessage: func(_ *supervisor.PeerConnection, msg *wire.Message) {
		var v any
		_ = msg.ParsePayload(&v)
	}})
	h := join(n, refpeer.Options{})
	const depth = 400_000
	text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	e, err := refpeer.NewEnvelope("chat", h.self.ID, n.ID(), nil)
	must(t, err)
	body, err := json.Marshal(e)
	must(t, err)
	frame, err := refpeer.Seal(strings.Replace(string(body), `"payload":null`, `"payload":`+text, 1), h.Password())
	must(t, err)
	must(t, h.SendRaw(frame))
	h.say("hello", nil)
	h.requireOpen()
}

// TestFragmentsCountTogether: a message is over the limit only by the sum of its fragments.
func TestFragmentsCountTogether(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.MaxMessageSize = limit }})
	s := impostor(t, n.URL(), identity(t, "wordy").Public)
	var stream []byte
	for i := range limit/1024 + 1 {
		stream = append(stream, fragment(i == 0, make([]byte, 1024))...)
	}
	_, _ = s.NetConn().Write(stream) // the close may overtake it
	if got := s.end(); got != websocket.CloseMessageTooBig {
		t.Errorf("closed with status %d, want %d", got, websocket.CloseMessageTooBig)
	}
	n.AwaitConnections(0, 0)
}

// fragment returns a masked WebSocket frame of a binary message that is not its last.
func fragment(first bool, data []byte) []byte {
	header := []byte{0x00, 0x80 | 126, byte(len(data) >> 8), byte(len(data)), 0, 0, 0, 0}
	if first {
		header[0] = 0x02
	}
	return slices.Concat(header, data)
}

// TestEndlessMessageEndsTheConnection: a message that never ends, with or without further bytes, is closed at the time
// limit of one message.
func TestEndlessMessageEndsTheConnection(t *testing.T) {
	t.Parallel()
	const limit = 700 * time.Millisecond
	for name, piece := range map[string][]byte{"empty fragments": nil, "a byte at a time": {0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.WriteTimeout = limit }})
			who := identity(t, "endless")
			s := impostor(t, n.URL(), who.Public)
			began := time.Now()
			_, err := s.NetConn().Write(fragment(true, piece))
			must(t, err)
			trickle(t, s.NetConn(), slices.Repeat(fragment(false, piece), 1000))
			down := n.AwaitDown(who.ID)
			if took := time.Since(began); took < limit {
				t.Errorf("ended after %v, want %v", took, limit)
			}
			if down.Code != wire.DisconnectTimeout || down.Remote {
				t.Errorf("ended with %+v, want an idle timeout that the node decided", down)
			}
			n.AwaitConnections(0, 0)
		})
	}
}
