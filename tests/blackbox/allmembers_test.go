package blackbox

import (
	"slices"
	"testing"
	"time"
)

// TestDisconnectReachesOtherMember disconnects a peer by the command of a member that is not connected to it.
func TestDisconnectReachesOtherMember(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	s.awaitStates("a alive", "b alive")
	b := s.members["b"]
	peer := start(t)
	b.run("connect", peer.Address()).want(t, 0)
	if home := s.home(peer.ID()); home != "b" {
		t.Fatalf("the home of the peer is %s", home)
	}
	var gone struct {
		Peer, Member string
		Inbound      bool
	}
	s.members["a"].json(&gone, "disconnect", peer.ID())
	if gone.Peer != peer.ID() || gone.Member != "b" || gone.Inbound {
		t.Errorf("disconnect prints %+v", gone)
	}
	b.Await("peer_down", "peer", peer.ID(), "member", "b")
	b.Await("peer_up", "peer", peer.ID(), "member", "b")
	watched := s.members["a"].run("watch", "--timeout", "3s") // the members are asked first
	watched.says(t, "only events of member a: run `node watch` on the hosts of b for theirs")
	s.members["a"].run("pending").
		says(t, "only peers of member a: run `node pending` on the hosts of b for theirs")
	again := s.members["a"].run("disconnect", peer.ID())
	again.want(t, 4)
	again.says(t, "not connected")
}

// memberStatus is the part of `node status` that describes the members.
type memberStatus struct {
	Connections struct{ Established int }
	Members     []struct {
		Name           string
		Self, Answered bool
		Connections    struct{ Established int }
	}
}

// of formats the members: the established connections of each, or - without an answer.
func (s *memberStatus) of() (list []string) {
	for _, m := range s.Members {
		text := m.Name + " -"
		if m.Answered {
			text = m.Name + " " + string(rune('0'+m.Connections.Established))
		}
		if m.Self {
			text += " self"
		}
		list = append(list, text)
	}
	return list
}

// TestEachMemberShowsAll asks one member for status and peers of all, before and after another one is killed.
func TestEachMemberShowsAll(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.start("a", "b")
	peer := start(t, "--peer", s.members["b"].Address())
	if home := s.home(peer.ID()); home != "b" {
		t.Fatalf("the home of the peer is %s", home)
	}
	s.awaitStates("a alive", "b alive")
	a := s.members["a"]
	peers := func(flags ...string) (found []string) {
		var list []struct {
			ID, Member string
			Connected  bool
		}
		a.json(&list, append([]string{"peers", "--connected"}, flags...)...)
		for _, p := range list {
			found = append(found, p.ID+" "+p.Member)
		}
		return found
	}
	var status memberStatus
	a.json(&status, "status")
	if got := status.of(); status.Connections.Established != 0 || !slices.Equal(got, []string{"a 0 self", "b 1"}) {
		t.Errorf("status of %d connections, members %q", status.Connections.Established, got)
	}
	want := []string{peer.ID() + " b"}
	if all, own, other := peers(), peers("--member", "a"), peers("--member", "b"); !slices.Equal(all, want) ||
		len(own) != 0 || !slices.Equal(other, want) {
		t.Errorf("peers of all %q, of a %q, of b %q", all, own, other)
	}
	status = memberStatus{}
	if a.json(&status, "status", "--member", "b"); status.Connections.Established != 1 || status.Members != nil {
		t.Errorf("status of b: %+v", status)
	}
	unknown := a.run("status", "--member", "z")
	unknown.want(t, 2)
	unknown.says(t, `no member "z"`)

	s.members["b"].Kill()
	began := time.Now()
	listed, told := a.run("peers", "--output", "json"), a.run("status", "--output", "json")
	if took := time.Since(began); took > 10*time.Second || listed.code != 0 || told.code != 0 {
		t.Errorf("after the kill, in %v: %+v, %+v", took, listed, told)
	}
	listed.says(t, "did not answer: b")
	told.says(t, "did not answer: b")
	status = memberStatus{}
	told.decode(t, &status)
	if got := status.of(); !slices.Equal(got, []string{"a 0 self", "b -"}) {
		t.Errorf("after the kill: members %q", got)
	}
}
