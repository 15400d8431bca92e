package hostile

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestImpostorGetsNoTraffic: an attacker with the public identity and recorded frames of a verified peer, but without
// its key, gets none of the peer's messages and is never verified.
func TestImpostorGetsNoTraffic(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	victim := join(n, refpeer.Options{})
	first, err := refpeer.NewEnvelope("chat", victim.self.ID, n.ID(), "recorded")
	must(t, err)
	text, err := json.Marshal(first)
	must(t, err)
	recorded, err := refpeer.Seal(string(text), victim.Password())
	must(t, err)
	must(t, victim.SendRaw(recorded))
	n.AwaitMessage(first.ID)

	thief := impostor(t, n.URL(), victim.self.Public)
	must(t, thief.WriteMessage(websocket.BinaryMessage, recorded))
	reflected, err := thief.read() // a ping of the node
	must(t, err)
	must(t, thief.WriteMessage(websocket.BinaryMessage, reflected))
	n.Poll("both frames to be judged", func() bool {
		return n.Counter("messagesDuplicate") == 1 && n.Counter("messagesRefused") == 1
	})

	for i := range 5 {
		n.SendNew(victim.self.ID, "secret", i)
	}
	for i := range 5 {
		if e := victim.next("secret"); string(e.Payload) != string(rune('0'+i)) {
			t.Errorf("message %d arrived as %s", i, e.Payload)
		}
	}
	must(t, thief.Close())
	n.AwaitConnections(1, 0)
	victim.say("chat", "still here")
	victim.requireOpen()
	requireProven(t, n, victim.self.ID, 1)
}

// TestOwnerOfTheKeyReplacesImpostors: of two unverified connections with one identity, the second replaces nothing. The
// owner of the key, which connects last, gets the traffic.
func TestOwnerOfTheKeyReplacesImpostors(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	self := identity(t, "victim")
	first := impostor(t, n.URL(), self.Public)
	n.Await("the first to be up", func(s nodetest.Seen) bool { return len(s.Events) == 1 })
	carrier := n.GetConnection(self.ID)
	impostor(t, n.URL(), self.Public)
	n.AwaitConnections(2, 0)
	if n.GetConnection(self.ID) != carrier {
		t.Error("a second connection that proved nothing displaced the first")
	}
	requireProven(t, n, self.ID, 0)
	if known := n.Book.List(); len(known) != 0 {
		t.Errorf("the peer book holds strangers: %+v", known)
	}

	owner := join(n, refpeer.Options{Identity: self})
	owner.say("chat", "it is me")
	nodetest.AwaitEvent(n, "the proof", func(e supervisor.PeerVerified) bool { return e.Peer == self.ID })
	n.SendNew(self.ID, "secret", "for the owner")
	if e := owner.next("secret"); string(e.Payload) != `"for the owner"` {
		t.Errorf("the owner got %s", e.Payload)
	}
	requireProven(t, n, self.ID, 1)
	must(t, first.Close())
}

// requireProven requires that the node has reported a peer as verified so many times.
func requireProven(t *testing.T, n *node, peer string, times int) {
	t.Helper()
	found := 0
	for _, e := range n.Seen().Events {
		switch e := e.(type) {
		case supervisor.PeerVerified:
			if e.Peer == peer {
				found++
			}
		case supervisor.PeerUp:
			if e.Peer == peer && e.Verified {
				found++
			}
		}
	}
	if found != times {
		t.Errorf("peer %s was said %d times to hold its key, want %d", peer, found, times)
	}
}

// TestReflectedChallengeIsRefused: the dialled attacker sends the node's challenge back to the node, on a connection of
// its own and with the identity that it wants to show, so that the node computes the response.
func TestReflectedChallengeIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	another := nodetest.Start(t, nodetest.Options{Keys: n.Keys})
	for name, at := range map[string]*node{"same process": n, "another with the same key": another} {
		t.Run(name, func(t *testing.T) { reflectChallenge(t, n, at) })
	}
}

// reflectChallenge makes an impostor send n's challenge to at, and use the response.
func reflectChallenge(t *testing.T, n, at *node) {
	victim := identity(t, "victim")
	reflected := make(chan ack, 1)
	address := dialled(t, func(s *stranger, sent string) {
		challenge, _ := base64.StdEncoding.DecodeString(sent)
		back := knock(t, at.URL())
		back.claim(victim.Public, challenge)
		got := back.answer()
		reflected <- got
		s.plain(refpeer.TypeHandshakeAck, victim.ID, map[string]any{
			"identity": victim.Public, "challengeResponse": got.ChallengeResponse, "accepted": true,
		})
	})
	if _, err := n.Connect(&supervisor.Peer{Address: address}); err == nil {
		t.Error("the dial succeeded: an impostor answered our challenge with our own help")
	}
	if got := <-reflected; got.Accepted || got.ChallengeResponse != "" {
		t.Errorf("our own challenge was answered: %+v", got)
	}
	if n.GetConnection(victim.ID) != nil {
		t.Error("the impostor is connected under the victim's name")
	}
}

// TestForgedIDHidesNoMessage: a peer sends a message with the ID of another peer's message before that one arrives. The
// honest message is delivered nevertheless; an exact copy of it through a third peer is not.
func TestForgedIDHidesNoMessage(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	sly, author := join(n, refpeer.Options{}), join(n, refpeer.Options{})
	sly.say("hello", nil)
	author.say("hello", nil)
	message, err := refpeer.NewEnvelope("chat", author.self.ID, n.ID(), "the truth")
	must(t, err)
	marked := message
	marked.Payload = json.RawMessage(`"a lie"`)
	must(t, sly.SendEnvelope(marked))
	sly.say("hello", nil)
	must(t, author.SendEnvelope(message))
	author.say("hello", nil)
	must(t, sly.SendEnvelope(message)) // the same ID from the same peer
	relay := join(n, refpeer.Options{})
	relay.say("hello", nil)
	must(t, relay.SendEnvelope(message)) // a copy through a third peer
	sly.say("hello", nil)
	relay.say("hello", nil)

	var got []string
	n.CountMessages(func(m nodetest.Received) bool {
		if m.Type == "chat" {
			got = append(got, m.Peer+string(m.Payload))
		}
		return false
	})
	want := []string{sly.self.ID + `"a lie"`, author.self.ID + `"the truth"`}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("delivered %q, want %q", got, want)
	}
	if d := n.Counter("messagesDuplicate"); d != 2 {
		t.Errorf("messagesDuplicate is %d, want 2", d)
	}
}

// TestAnotherNodeIsRefused: at the address of a persistent peer another node answers. The node refuses it, and the peer
// book and the caller's Peer are unchanged.
func TestAnotherNodeIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	self := identity(t, "expected")
	s, err := refpeer.Listen("127.0.0.1:0", refpeer.Options{Identity: self})
	must(t, err)
	address := s.Addr()
	_, err = n.ConnectAddress(withTimeout(t), address)
	must(t, err)
	before, _ := n.Book.Get(self.ID)
	s.Close()
	n.AwaitDown(self.ID)
	other := identity(t, "other")
	s, err = refpeer.Listen(address, refpeer.Options{Identity: other})
	must(t, err)
	defer s.Close()

	nodetest.AwaitEvent(n, "a dial that meets another node", func(e supervisor.DialFailed) bool {
		return errors.Is(e.Err, supervisor.ErrWrongIdentity)
	})
	asked := supervisor.Peer{ID: self.ID, Address: address}
	caller := asked
	if _, err = n.Connect(&caller); !errors.Is(err, supervisor.ErrWrongIdentity) {
		t.Errorf("the dial ended in %v, want %v", err, supervisor.ErrWrongIdentity)
	}
	if caller != asked {
		t.Errorf("the caller's Peer is now %+v, was %+v", caller, asked)
	}
	after, known := n.Book.Get(self.ID)
	after.LastSeen = before.LastSeen
	if !known || after != before {
		t.Errorf("the peer book says %+v, said %+v", after, before)
	}
	if _, known := n.Book.Get(other.ID); known || n.GetConnection(other.ID) != nil {
		t.Error("the other node is in the book, or connected")
	}
}
