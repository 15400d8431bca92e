package blackbox

import (
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// stranger connects a peer with a key of its own and a name that the test chooses, and proves the key.
func stranger(n *node, name string) *reference {
	n.t.Helper()
	r := dialed(n, refpeer.Options{Identity: identity(n.t, name), Pong: true})
	r.prove()
	return r
}

// TestStrangersTakeNoNames: later peers with the name of a peer, or with its ID or a part of it as a name, change
// nothing for scripts that use these names.
func TestStrangersTakeNoNames(t *testing.T) {
	t.Parallel()
	hub := start(t)
	alice := start(t, "--name", "alice", "--peer", hub.Address())
	hub.Await("peer_verified", "peer", alice.ID())
	ghost := dialed(hub, refpeer.Options{Identity: identity(t, "ghost"), Pong: false}) // proves nothing
	strangers := []*reference{stranger(hub, "alice"), stranger(hub, alice.ID()[:8]), stranger(hub, alice.ID())}
	for _, text := range []string{"alice", alice.ID()[:8], alice.ID()} {
		id := strings.TrimSpace(hub.ok("send", text, "hello"))
		alice.Await("message", "message.id", id, "peer", hub.ID())
	}
	r := hub.run("send", "ghost", "hello")
	r.want(t, 4)
	for _, command := range []string{"send", "request"} {
		r = hub.run(command, ghost.self.ID, "hello")
		r.want(t, 4)
		r.says(t, "the peer is connected but has not proven its key yet")
	}
	for _, s := range strangers {
		s.requireOpen()
	}
	// Only the operator makes a name ambiguous. Both peers are listed then.
	hub.ok("allow", alice.Hello.Str("publicKey"), strangers[0].self.PublicKey)
	r = hub.run("send", "alice", "hello")
	r.want(t, 2)
	r.says(t, alice.ID())
	r.says(t, strangers[0].self.ID)
}
