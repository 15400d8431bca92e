package main

import (
	"io"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// TestWatchNamesTheOtherMembers requires the line about the members whose events are not shown.
func TestWatchNamesTheOtherMembers(t *testing.T) {
	a, b, c := output.Member{Name: "a", Self: true}, output.Member{Name: "b"}, output.Member{Name: "c"}
	for want, members := range map[string][]output.Member{
		"": {a},
		"node: watch: only events of member a: run `node watch` on the hosts of b for theirs":    {a, b},
		"node: watch: only events of member a: run `node watch` on the hosts of b, c for theirs": {a, b, c},
	} {
		if got := otherMembers(members, "watch", "events"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	const want = "node: pending: only peers of member a: run `node pending` on the hosts of b for theirs"
	if got := otherMembers([]output.Member{b, a}, "pending", "peers"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTextNamesTheMember requires texts to say which member drains, is lost, disconnects a peer or counts.
func TestTextNamesTheMember(t *testing.T) {
	const idle = "0 established, 0 pending, 0 at most; up 0s"
	one, three := 1, 3
	status := output.Status{State: "draining", Members: []output.MemberStatus{
		{Name: "a", State: "draining", Answered: true, Self: true},
		{Name: "b", State: "lost"},
		{Name: "c", State: "alive"},
		{Name: "d", State: "alive", Answered: true},
	}}
	text := func(write func(io.Writer)) string {
		var out strings.Builder
		write(&out)
		return out.String()
	}
	shown := text(func(w io.Writer) { writeStatus(w, status) })
	ended := func(d control.Disconnected) string { return text(func(w io.Writer) { writeDisconnected(w, d) }) }
	mode := func(a control.Auth) string { return text(func(w io.Writer) { writeAuth(w, a) }) }
	drained := func(d control.Drained) string { return text(func(w io.Writer) { writeDrained(w, d) }) }
	alive := text(func(w io.Writer) { writeStatus(w, output.Status{State: "alive"}) })
	for _, c := range []struct{ got, want string }{
		{shown, "state draining: its peers move to other members"},
		{shown, "member a draining: its peers move to other members; " + idle + "; this one"},
		{shown, "member b lost, no answer"},
		{shown, "member c no answer"},
		{shown, "member d " + idle},
		{alive, "state alive"},
		{ended(control.Disconnected{Peer: "7", PublicKey: "K", Member: "b"}), "disconnected 7 at member b"},
		{drained(control.Drained{Member: "a", Connections: 1}), "a drains: 1 connection is open"},
		{drained(control.Drained{Member: "a", Done: true}), "a is drained: 0 connections are open, stop it now"},
		{ended(control.Disconnected{Peer: "8", PublicKey: "K"}), "disconnected 8"},
		{
			mode(control.Auth{Auth: "allowlist", Disconnected: &three, Member: "a"}),
			"disconnected 3 peers of member a; other members disconnect theirs",
		},
		{
			mode(control.Auth{Auth: "open", Disconnected: &one, Member: "a"}),
			"disconnected 1 peer of member a; other members disconnect theirs",
		},
		{mode(control.Auth{Auth: "open", Disconnected: &one}), "disconnected 1 peer"},
	} {
		found := false
		for line := range strings.Lines(c.got) {
			found = found || strings.Join(strings.Fields(line), " ") == c.want
		}
		if !found {
			t.Errorf("no line %q in:\n%s", c.want, c.got)
		}
	}
	if alone := text(func(w io.Writer) { writeStatus(w, output.Status{}) }); strings.Contains(alone, "state") {
		t.Errorf("a node without members has a state:\n%s", alone)
	}
}
