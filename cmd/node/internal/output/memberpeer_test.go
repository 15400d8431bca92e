package output

import (
	"testing"
	"time"
)

func TestEntryOfTheHomeIsBetter(t *testing.T) {
	entry := func(id, from string, state State, seen int64) MemberPeer {
		return MemberPeer{&Peer{ID: id, State: state, LastSeen: time.Unix(seen, 0)}, from}
	}
	for name, c := range map[string]struct {
		a, b MemberPeer
		home string
		want bool
	}{
		"home":                   {entry("p", "a", StateConnected, 1), entry("p", "b", StateConnected, 2), "a", true},
		"home of the other":      {entry("p", "a", StateConnected, 2), entry("p", "b", StateConnected, 1), "b", false},
		"third home":             {entry("p", "a", StateAway, 2), entry("p", "b", StateAway, 1), "c", true},
		"seen later":             {entry("p", "a", StateAway, 2), entry("p", "b", StateAway, 1), "", true},
		"seen earlier":           {entry("p", "a", StateAway, 1), entry("p", "b", StateAway, 2), "", false},
		"connected":              {entry("p", "a", StateConnected, 1), entry("p", "b", StateAway, 2), "b", true},
		"dialling, not away":     {entry("p", "a", StateAway, 2), entry("p", "b", StateDialling, 1), "a", false},
		"address without a peer": {entry("", "a", StateWaiting, 0), entry("", "b", StateDialling, 0), "a", false},
	} {
		if got := c.a.Better(c.b, func(string) string { return c.home }); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEntryNamesItsMember(t *testing.T) {
	for name, c := range map[string]struct {
		peer Peer
		want string
	}{
		"connected":                   {Peer{Connected: true, State: StateConnected}, "a"},
		"connected, moved":            {Peer{Connected: true, State: StateConnected, Member: "b"}, "a"},
		"dialled":                     {Peer{State: StateDialling}, "a"},
		"dialled, connected to other": {Peer{State: StateWaiting, Member: "b"}, "b"},
		"away":                        {Peer{State: StateAway}, ""},
		"away, connected to other":    {Peer{State: StateAway, Member: "b"}, "b"},
	} {
		if c.peer.SetMember("a"); c.peer.Member != c.want {
			t.Errorf("%s: %q, want %q", name, c.peer.Member, c.want)
		}
	}
}
