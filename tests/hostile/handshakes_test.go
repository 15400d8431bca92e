package hostile

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestTwoHundredHandshakesOfOneKey: 200 sockets shake hands with one key at the same time, send a message each and
// leave. The slots hold, an honest peer is not affected, each message is delivered once or counted, and nothing stays.
func TestTwoHundredHandshakesOfOneKey(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]refpeer.Options{
		"unmarked": {}, "bound": {Bind: true, Features: []string{"single-connection", "rate/100/50"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.MaxConns = 50 }})
			h := join(n, refpeer.Options{})
			h.say("hello", nil)
			o := o
			o.Identity = identity(t, "crowd")
			open := dialAtOnce(t, n, o, 200)
			if name == "unmarked" && len(open) != 49 || len(open) == 0 { // duplicates of a bound one are closed, and free slots
				t.Errorf("%d of 200 connections opened, want the 49 free slots", len(open))
			}
			sent := 0
			for _, c := range open {
				if _, err := c.Send("crowd", n.ID(), nil); err == nil {
					sent++
				}
				h.requireOpen()
			}
			for _, c := range open {
				c.Close()
			}
			h.say("still", "here")
			n.AwaitConnections(1, 0)
			got := n.CountMessages(func(m nodetest.Received) bool { return m.Message.Type == "crowd" })
			if got > sent || got == 0 {
				t.Errorf("%d messages sent, %d delivered", sent, got)
			}
			for _, counter := range []string{"actorRestarts", "handlerPanics", "framesMalformed"} {
				if got := n.Counter(counter); got != 0 {
					t.Errorf("%s is %d, want 0", counter, got)
				}
			}
			again := join(n, o)
			again.say("crowd", "alone")
		})
	}
}

// dialAtOnce dials a node with one key on so many sockets at once, and returns the connections that opened.
func dialAtOnce(t *testing.T, n *node, o refpeer.Options, sockets int) (open []*refpeer.Conn) {
	t.Helper()
	var all sync.WaitGroup
	opened := make(chan *refpeer.Conn, sockets)
	for range sockets {
		all.Go(func() {
			if c, err := refpeer.Dial(withTimeout(t), n.URL(), o); err == nil {
				opened <- c
			}
		})
	}
	all.Wait()
	close(opened)
	for c := range opened {
		open = append(open, c)
	}
	return open
}

// dialled answers each dial of a node with the messages that answer makes from the handshake, and reads on.
func dialled(t *testing.T, answer func(s *stranger, challenge string)) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		var hello struct {
			Payload struct {
				Challenge string `json:"challenge"`
			} `json:"payload"`
		}
		if ws.ReadJSON(&hello) == nil {
			s := &stranger{ws, t}
			answer(s, hello.Payload.Challenge)
			for err == nil {
				_, _, err = ws.ReadMessage()
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// ackOf returns the text of a valid ack of an identity.
func ackOf(t *testing.T, who *refpeer.Identity, n *node, challenge string) []byte {
	t.Helper()
	secret, err := who.SharedSecret(n.Identity().PublicKey)
	must(t, err)
	var sent []byte
	must(t, json.Unmarshal([]byte(`"`+challenge+`"`), &sent))
	e, err := refpeer.NewEnvelope(refpeer.TypeHandshakeAck, who.ID, n.ID(), map[string]any{
		"identity": who.Public, "challengeResponse": refpeer.ChallengeResponse(secret, sent), "accepted": true,
	})
	must(t, err)
	text, err := json.Marshal(e)
	must(t, err)
	return text
}

// TestAcksOutOfOrder: a dialled peer sends its ack twice, behind other messages, in a binary message, after the ack of
// another peer, or answers with a handshake. The dial succeeds only if the first message is a valid ack; everything
// behind it is an ordinary, malformed frame.
func TestAcksOutOfOrder(t *testing.T) {
	t.Parallel()
	who, other := identity(t, "dialled"), identity(t, "other")
	for name, c := range map[string]struct {
		answer    func(s *stranger, n *node, challenge string)
		opens     bool
		malformed int
	}{
		"once": {func(s *stranger, n *node, challenge string) {
			must(s.t, s.WriteMessage(websocket.TextMessage, ackOf(s.t, who, n, challenge)))
		}, true, 0},
		"twice": {func(s *stranger, n *node, challenge string) {
			for range 2 {
				must(s.t, s.WriteMessage(websocket.TextMessage, ackOf(s.t, who, n, challenge)))
			}
		}, true, 1},
		"another peer's behind it": {func(s *stranger, n *node, challenge string) {
			must(s.t, s.WriteMessage(websocket.TextMessage, ackOf(s.t, who, n, challenge)))
			must(s.t, s.WriteMessage(websocket.TextMessage, ackOf(s.t, other, n, challenge)))
			must(s.t, s.WriteMessage(websocket.BinaryMessage, ackOf(s.t, other, n, challenge)))
		}, true, 2},
		"a frame before it": {func(s *stranger, n *node, challenge string) {
			must(s.t, s.WriteMessage(websocket.BinaryMessage, []byte("SMSG")))
			_ = s.WriteMessage(websocket.TextMessage, ackOf(s.t, who, n, challenge))
		}, false, 0},
		"a handshake in its place": {func(s *stranger, _ *node, _ string) { s.claim(who.Public, nil) }, false, 0},
		"to another challenge": {func(s *stranger, n *node, _ string) {
			must(s.t, s.WriteMessage(websocket.TextMessage, ackOf(s.t, who, n, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")))
		}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{})
			address := dialled(t, func(s *stranger, challenge string) { c.answer(s, n, challenge) })
			conn, err := n.Connect(&supervisor.Peer{Address: address})
			if (err == nil) != c.opens {
				t.Fatalf("connect: %v, want success %t", err, c.opens)
			}
			if c.opens && conn.Peer().ID != who.ID {
				t.Errorf("connected to %s, want %s", conn.Peer().ID, who.ID)
			}
			n.AwaitCounter("framesMalformed", c.malformed)
			if n.GetConnection(other.ID) != nil || n.Counter("actorRestarts") != 0 {
				t.Errorf("a route to the other peer, or %d restarts", n.Counter("actorRestarts"))
			}
			if !c.opens {
				n.AwaitConnections(0, 0)
			}
		})
	}
}

// TestReplayedHandshakeOpensClaimsOnly: a stranger replays the handshake and the frames of an honest peer, byte for
// byte, on 20 connections at once. Each of them stays a claim without a proof, and nothing is delivered twice.
func TestReplayedHandshakeOpensClaimsOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) {
		c.PingInterval, c.PongTimeout = time.Hour, time.Hour
	}})
	victim := identity(t, "victim")
	challenge := make([]byte, 32)
	h := join(n, refpeer.Options{Identity: victim})
	e, err := refpeer.NewEnvelope("chat", victim.ID, n.ID(), "once")
	must(t, err)
	text, err := json.Marshal(e)
	must(t, err)
	frame, err := refpeer.Seal(string(text), h.Password())
	must(t, err)
	must(t, h.SendRaw(frame))
	n.AwaitMessage(e.ID)
	for range 20 {
		s := knock(t, n.URL())
		s.claim(victim.Public, challenge) // the same each time
		if a := s.answer(); !a.Accepted {
			t.Fatalf("refused: %s", a.Reason)
		}
		must(t, s.WriteMessage(websocket.BinaryMessage, frame))
	}
	n.AwaitCounter("messagesDuplicate", 20)
	if got := n.CountMessages(func(m nodetest.Received) bool { return m.Message.ID == e.ID }); got != 1 {
		t.Errorf("delivered %d times, want once", got)
	}
	requireProven(t, n, victim.ID, 1)
	peers, err := n.Peers(withTimeout(t))
	must(t, err)
	claims, proven := 0, 0
	for _, p := range peers {
		for _, c := range p.Connections {
			if claims++; c.Verified {
				proven++
			}
		}
	}
	if claims != 21 || proven != 1 {
		t.Errorf("%d of %d connections are verified, want 1 of 21", proven, claims)
	}
	h.say("chat", "still the route")
}
