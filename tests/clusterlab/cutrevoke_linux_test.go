package clusterlab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestRevokeDuringACutHoldsAfterIt revokes two peers while a member is cut off from the others. The command names that
// member. One peer is connected to it: it is disconnected when the members hear each other again. The other one comes
// then, and is not admitted.
func TestRevokeDuringACutHoldsAfterIt(t *testing.T) {
	l := newLAN(t, "a", "b", "c")
	c := l.newCluster()
	stays := l.run("--peer", c.listen["b"])
	home := nodetest.NewHome(t)
	comes := func() *nodetest.Process {
		return nodetest.StartProcess(t, nodetest.ProcessOptions{Under: l.enter("peers"), Home: home}, "--peer", c.listen["b"])
	}
	before := comes()
	c.awaitAll()
	c.awaitHomes(stays.ID(), before.ID())
	keys := []string{c.keyOf("b", stays.ID()), c.keyOf("b", before.ID())}
	before.Stop()
	for _, other := range []string{"a", "c"} {
		l.drop("b", other)
		l.drop(other, "b")
	}
	c.await("a without b", func() string { return missing(c.states("a"), "b lost") })
	r := c.members["a"].Run(append([]string{"revoke"}, keys...)...)
	if r.Code != 1 || !strings.Contains(r.Stderr, "b") {
		t.Errorf("revoke: exit code %d, want 1 and the name of b: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	t.Logf("revoke without b: %s", lastLine(r.Stderr))
	if r := c.members["b"].Run("send", stays.ID(), "not revoked here"); r.Code != 0 {
		t.Errorf("b cannot reach its own peer during the cut: %s", r.Stderr)
	}
	b := c.members["b"]
	mark := b.Mark()
	l.heal()
	healed := time.Now()
	c.await("b with a", func() string { return missing(c.states("b"), "a alive") })
	after := comes() // b has heard the others
	b.AwaitAfter(mark, "peer_down", "peer", stays.ID())
	t.Logf("the connected peer was disconnected %v after healing", time.Since(healed).Round(time.Millisecond))
	b.AwaitAfter(mark, "peer_refused", "peer", after.ID())
	c.awaitAll()
	after.AwaitCount(3, "dial_failed")
	stays.AwaitCount(3, "dial_failed")
	for _, name := range c.names {
		events := c.members[name].All()
		if name == "b" {
			events = events[mark:] // before, it was cut off
		}
		for _, e := range events {
			if e.Has("peer_up", "peer", after.ID()) || e.Has("peer_verified", "peer", after.ID()) {
				t.Errorf("%s admitted the revoked peer: %s", name, e.Line)
			}
		}
	}
}

// keyOf returns the public key of a peer that a member knows.
func (c *cluster) keyOf(name, id string) string {
	c.t.Helper()
	var peers []struct{ ID, PublicKey string }
	c.ask(name, &peers, "peers", "--member", name)
	for _, p := range peers {
		if p.ID == id {
			return p.PublicKey
		}
	}
	c.t.Fatalf("%s does not know %s", name, id)
	return ""
}

// missing returns the list if it lacks an entry, and otherwise nothing.
func missing(list []string, entry string) string {
	if slices.Contains(list, entry) {
		return ""
	}
	return strings.Join(list, ", ") + " without " + entry
}
