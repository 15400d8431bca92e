package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// The list of peers shows why a persistent peer is not connected.
func TestPeersShowTheDialError(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tests := map[string]output.Peer{
		"persistent, next dial in 4s: connection refused": {
			Address: "h:1", Persistent: true,
			LastError: "connection refused", NextDialAt: new(now.Add(4 * time.Second)),
		},
		"persistent, next dial within 1s: refused": {
			Address: "h:1", Persistent: true, LastError: "refused", NextDialAt: new(now.Add(900 * time.Millisecond)),
		},
		"persistent: ?[2J":          {ID: "1", Persistent: true, LastError: "\x1b[2J"},
		"persistent,allowed":        {ID: "1", Persistent: true, Allowed: true},
		"allowed,refused for 1h30m": {ID: "1", Allowed: true, RefusedUntil: now.Add(90 * time.Minute)},
		"-":                         {ID: "1"},
	}
	for want, peer := range tests {
		var out strings.Builder
		writePeers(&out, []output.Peer{peer}, now)
		if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], "  "+want) {
			t.Errorf("written as %q, want an end of %q", out.String(), want)
		}
	}
}

// TestPeersShowTheAddressInUse requires the address that is connected, not the one of the peer book, of a peer with
// several kept addresses.
func TestPeersShowTheAddressInUse(t *testing.T) {
	peer := output.Peer{
		ID: "1", Address: "h:2", Addresses: []string{"h:1", "h:2"}, Connected: true, Direction: "outbound", Connection: 4,
		Connections: []output.Connection{{Connection: 4, Address: "h:1", Direction: "outbound"}},
	}
	if got := addressOf(peer); got != "h:1" {
		t.Errorf("connected to h:1, shown as %s", got)
	}
	peer.Connections[0].Address = "10.0.0.1:40000" // inbound
	if got := addressOf(peer); got != "h:2" {
		t.Errorf("connected from elsewhere, shown as %s", got)
	}
}

// Each line has role, version, clock difference and counts, also those of further connections.
func TestPeersShowVersionsAndCounts(t *testing.T) {
	peer := output.Peer{
		ID: "1", Name: "bob", Role: "worker", Connected: true, State: output.StateConnected, Direction: "inbound",
		Session: "session/1", Version: "v1.2", ClockSkewMs: -1500.4, MessagesReceived: 20, MessagesSent: 10, Dropped: 2,
		Connection: 4, Connections: []output.Connection{
			{Connection: 4, Direction: "inbound"},
			{
				Connection: 5, Direction: "outbound", Verified: true, Address: "h:1", Session: "smsg",
				MessagesReceived: 7, Dropped: 1,
			},
		},
	}
	var out strings.Builder
	writePeers(&out, []output.Peer{peer}, time.Unix(1_700_000_000, 0))
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"ID NAME ROLE STATE DIRECTION CONNECTION SESSION VERSION RTT CLOCK LAST SEEN IN/OUT/DROPPED QUEUED ADDRESS NOTES",
		"1 bob worker connected inbound 4 session/1 v1.2 - -1.500s - 20/10/2 0 - -",
		"1 - - connected outbound 5 smsg - - - - 7/0/1 - h:1 further connection",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}

func TestListPeersSelectsAndSorts(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	all := []output.Peer{
		{ID: "1", Name: "bob", Role: "worker", State: output.StateConnected, RTTMs: 9, LastSeen: at(3)},
		{ID: "2", Name: "carol", Alias: "Alice", Role: "dual", State: output.StateAway, LastSeen: at(5)},
		{ID: "3", Name: "dave", Role: "worker", State: output.StateConnected, RTTMs: 2, LastSeen: at(4)},
		{ID: "4", Name: "eve", Role: "controller", State: output.StateUnverified, Connected: true},
	}
	for want, c := range map[string]peerList{
		"1 2 3 4": {},
		"1 3":     {connected: true, role: ""},
		" 1 3":    {role: "worker"},
		"2 1 3 4": {sort: "name"},
		"3 1 2 4": {sort: "rtt"},
		"2 3 1 4": {sort: "seen"},
		"3 1":     {connected: true, sort: "seen"},
		"":        {connected: true, role: "dual"},
	} {
		var got []string
		for _, p := range c.of(all) {
			got = append(got, p.ID)
		}
		if text := strings.Join(got, " "); text != strings.TrimSpace(want) {
			t.Errorf("%+v: %q, want %q", c, text, want)
		}
	}
	if got := (peerList{connected: true, role: "king"}).of(all); got == nil {
		t.Error("an empty list is nil")
	}
}

func TestPeerOffersOmitsUnsafeNames(t *testing.T) {
	peers := []output.Peer{
		{ID: "1", Name: "bob", Verified: true},
		{ID: "2", Name: "twin", Verified: true},
		{ID: "3", Name: "twin", Verified: true},
		{ID: "4", Name: "$(reboot)", Verified: true},
		{ID: "5", Name: "-f", Verified: true},
		{ID: "6", Name: "eve", Connected: true}, // a claim
		{ID: "7", Name: "claimed", Alias: "carol"},
		{ID: "8"},
	}
	ids := []string{"1\tbob", "2\ttwin", "3\ttwin", "4\t$(reboot)", "5\t-f", "6\teve", "7\tcarol", "8\t\"\""}
	want := append(slices.Clone(ids), "bob\t1", "carol\t7")
	if got := peerOffers(peers, output.Peer.Label); !slices.Equal(got, want) {
		t.Errorf("offers %q, want %q", got, want)
	}
	want = append(slices.Clone(ids), "carol\t7")
	if got := peerOffers(peers, func(p output.Peer) string { return p.Alias }); !slices.Equal(got, want) {
		t.Errorf("offers %q for keys, want %q", got, want)
	}
}
