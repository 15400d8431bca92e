package blackbox

import (
	"strings"
	"testing"
)

// TestMemberIsNamedWithItsConnections: advice about numbers of connections, and about the address of another member,
// names what to do on a member.
func TestMemberIsNamedWithItsConnections(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	r := s.members["a"].run("disconnect", "--connection", "1")
	r.want(t, 4)
	r.says(t, "`node peers --member a` shows the numbers; close a connection of another member there")
	r = s.members["a"].run("connect", s.members["b"].Address())
	r.want(t, 4)
	r.says(t, "another member of this node")
}

// TestDrainThatTimesOutGoesOn: the advice is about the drain, not about a peer, and a dial names the drain, too.
func TestDrainThatTimesOutGoesOn(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	s.awaitStates("a alive", "b alive")
	r := s.members["a"].run("drain", "--wait", "--timeout", "1ms")
	r.want(t, 5)
	r.says(t, "the drain goes on")
	if strings.Contains(r.stderr, "peer is alive") {
		t.Errorf("drain prints %s", r.stderr)
	}
	r = s.members["a"].run("connect", "127.0.0.1:9")
	r.want(t, 1)
	r.says(t, "this process drains")
	r.says(t, "connect at another member")
}

// TestUnansweredMembersMayKnowAName: a name that only a killed member knows is not just unknown.
func TestUnansweredMembersMayKnowAName(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	peer := start(t, "--peer", s.members["b"].Address(), "--name", "dora")
	if home := s.home(peer.ID()); home != "b" {
		t.Fatalf("the home of the peer is %s", home)
	}
	s.members["a"].ok("send", "dora", "hello")
	s.members["b"].Kill()
	r := s.members["a"].run("send", "dora", "hello")
	r.want(t, 4)
	r.says(t, "did not answer: b")
}

// TestEventsOfAMemberNameIt: each event about a peer names the member, so that the logs of all members can be merged.
func TestEventsOfAMemberNameIt(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a")
	a := s.members["a"]
	peer := start(t, "--peer", a.Address())
	peer.Await("peer_up", "peer", a.ID())
	id := peer.ok("send", a.ID(), "hello")
	a.Await("message", "message.id", id, "member", "a")
	a.Await("peer_verified", "peer", peer.ID(), "member", "a")
	peer.Stop()
	a.Await("peer_down", "peer", peer.ID(), "member", "a")
}

// TestMemberOfANodeAlone: without a cluster, peers have the key and no member, and --member is refused with the reason.
func TestMemberOfANodeAlone(t *testing.T) {
	t.Parallel()
	n := start(t)
	peer := start(t, "--peer", n.Address())
	n.Await("peer_verified", "peer", peer.ID())
	var peers []map[string]any
	n.json(&peers, "peers")
	if member, present := peers[0]["member"]; !present || member != "" {
		t.Errorf("member is %v, present: %v", member, present)
	}
	for _, command := range []string{"peers", "status"} {
		r := n.run(command, "--member", "x")
		r.want(t, 2)
		r.says(t, "runs without other members")
	}
	if e := n.Await("peer_up", "peer", peer.ID()); e.Fields["member"] != nil {
		t.Errorf("the event of a node alone: %s", e.Line)
	}
}
