package blackbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// modernFeatures are those of a release that binds its frames.
var modernFeatures = []string{"single-connection", "rate/100/50"}

// crossClaim is one variant of a stranger that connects to A as B and to B as A, and copies every frame.
type crossClaim struct {
	allowlist, bDials, strangerFirst, features bool

	sessions bool // the nodes speak session/1
	offers   bool // and the stranger offers a session to each
}

func (c crossClaim) String() string {
	word := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	return strings.Join([]string{
		word(c.allowlist, "allowlist", "open"), word(c.bDials, "B dials", "A dials"),
		word(c.strangerFirst, "stranger first", "connected before"), word(c.features, "features", "no features"),
		word(c.sessions, "sessions", "SMSG"), word(c.offers, "offered", "not offered"),
	}, ", ")
}

// TestCrossClaimTakesNoMessage: the stranger holds no key. Every message arrives once, and the honest connection
// stands.
func TestCrossClaimTakesNoMessage(t *testing.T) {
	t.Parallel()
	for i := range 16 {
		c := crossClaim{allowlist: i&1 != 0, bDials: i&2 != 0, strangerFirst: i&4 != 0, features: i&8 != 0}
		t.Run(c.String(), c.run)
	}
	for i := range 8 {
		c := crossClaim{bDials: i&1 != 0, strangerFirst: i&2 != 0, sessions: true, offers: i&4 != 0}
		t.Run(c.String(), c.run)
	}
}

func (c crossClaim) run(t *testing.T) {
	t.Parallel()
	args := []string{"--stdin", "--ping-interval", "4s", "--pong-timeout", "2s", "--handshake-timeout", "5s"}
	if !c.sessions {
		args = append(args, smsgOnly...)
	}
	if c.allowlist {
		args = append(args, "--auth", "allowlist")
	}
	a, b := start(t, append([]string{"--name", "alpha"}, args...)...),
		start(t, append([]string{"--name", "beta"}, args...)...)
	if c.allowlist {
		a.ok("allow", b.Hello.Str("publicKey"))
		b.ok("allow", a.Hello.Str("publicKey"))
	}
	dialler, listener := a, b
	if c.bDials {
		dialler, listener = b, a
	}
	connect := func() {
		dialler.ok("connect", listener.Address())
		dialler.awaitVerified(listener.ID())
		listener.awaitVerified(dialler.ID())
	}
	sent := &exchange{a: a, b: b}
	if !c.strangerFirst {
		connect()
		sent.both("before")
	}
	payload := map[string]any{}
	switch {
	case c.features:
		payload["features"] = modernFeatures
	case c.offers:
		payload["features"] = append([]string{"session/1"}, modernFeatures...)
		payload["session"] = map[string]any{
			"aeads": []string{session.AES256GCM}, "key": b64(session.NewKeyPair().Public),
		}
	}
	atA, atB := claim(t, a, b, payload), claim(t, b, a, payload)
	var copying sync.WaitGroup
	copying.Go(func() { atA.read(atB.write) })
	copying.Go(func() { atB.read(atA.write) })
	if c.strangerFirst {
		for from, to := range map[*node]*node{a: b, b: a} {
			if r := from.run("send", to.ID(), "to nobody"); r.code == 0 {
				t.Errorf("send to a peer that has proven nothing: exit 0")
			}
		}
		connect()
	}
	sent.both("during")
	for name, end := range map[string]*wireEnd{"A": atA, "B": atB} {
		if status := end.status(t); status != 1002 {
			t.Errorf("the claim at %s ended with status %d (%v), want 1002", name, status, end.err)
		}
	}
	copying.Wait()
	sent.both("after")
	sent.check(t)
	for _, n := range []*node{a, b} {
		s := n.Status()
		if up, down := n.Count("peer_up"), n.Count("peer_down"); up != 1 || down != 0 || s.Connections.Established != 1 {
			t.Errorf("%s: %d peer_up, %d peer_down, %d connections; want 1, 0 and 1", n.Name(), up, down,
				s.Connections.Established)
		}
	}
	// The stranger has a frame to copy only if a node owes it one: the ping to a peer without features, of which the book
	// knows nothing.
	foreign := a.Status().Counters["downgradesRefused"] + b.Status().Counters["downgradesRefused"]
	if owed := c.strangerFirst && !c.features && !c.offers; owed != (foreign > 0) {
		t.Errorf("downgradesRefused %v, a copied frame was possible: %v", foreign, owed)
	}
}

// awaitVerified waits until a peer is connected and verified.
func (n *node) awaitVerified(id string) {
	n.t.Helper()
	n.AwaitStatus("the verified peer "+id, func(nodetest.Status) bool {
		p := n.peerByID(id)
		return p != nil && p.Connected && p.Verified
	})
}

// exchange holds the payloads that two nodes have sent to each other.
type exchange struct {
	a, b *node
	all  []string
}

// perRound is how many messages go each way in a round.
const perRound = 6

// both sends messages in both directions, half of them by commands and half by standard input.
func (x *exchange) both(when string) {
	for _, way := range []struct{ from, to *node }{{x.a, x.b}, {x.b, x.a}} {
		for i := range perRound {
			payload := fmt.Sprintf("%s %d", when, i)
			if i%2 == 0 {
				way.from.ok("send", way.to.ID(), payload)
				continue
			}
			way.from.WriteLines(fmt.Sprintf(`{"to":%q,"type":"chat","payload":%q}`, way.to.ID(), payload))
		}
	}
	for i := range perRound {
		x.all = append(x.all, fmt.Sprintf("%s %d", when, i))
	}
}

// check requires that each node got each message exactly once, from the other one.
func (x *exchange) check(t *testing.T) {
	t.Helper()
	for _, way := range []struct{ at, from *node }{{x.a, x.b}, {x.b, x.a}} {
		for _, payload := range x.all {
			way.at.Await("message", "message.payload", payload, "peer", way.from.ID())
		}
		if got := len(way.at.Messages("chat")); got != len(x.all) {
			t.Errorf("%s got %d messages, want %d", way.at.Name(), got, len(x.all))
		}
	}
}
