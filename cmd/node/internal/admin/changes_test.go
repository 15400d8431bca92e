package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// entries returns the list of a view with these peers.
func entries(peers ...supervisor.PeerInfo) (list []*output.Peer) {
	for _, p := range peers {
		shown := output.NewPeer(p)
		list = append(list, &shown)
	}
	return list
}

// parts names the parts of each change: f for facts, n for numbers, c for the counts of connections.
func parts(changes []peerChange) (found []string) {
	for _, c := range changes {
		text := c.Key + ":"
		for name, part := range map[string]json.RawMessage{"f": c.Facts, "n": c.Numbers, "c": c.Counts} {
			if part != nil {
				text += name
			}
		}
		found = append(found, sorted(text))
	}
	return found
}

// sorted sorts the letters behind the colon.
func sorted(text string) string {
	letters := []byte(text)
	at := slices.Index(letters, ':')
	slices.Sort(letters[at+1:])
	return string(letters)
}

func TestPeerTableSendsOnlyChanges(t *testing.T) {
	two := func(p *supervisor.PeerInfo) {
		p.Connections = []supervisor.ConnectionInfo{{Connection: 1, Verified: true}, {Connection: 2}}
	}
	steps := []struct {
		name    string
		peers   []supervisor.PeerInfo
		queued  map[string]int
		changed []string
		gone    []string
	}{
		{"first", []supervisor.PeerInfo{peer("a"), peer("b")}, nil, []string{"a:cfn", "b:cfn"}, nil},
		{"nothing", []supervisor.PeerInfo{peer("a"), peer("b")}, nil, nil, nil},
		{
			"a round trip",
			[]supervisor.PeerInfo{peer("a", func(p *supervisor.PeerInfo) { p.RTT = time.Second }), peer("b")},
			nil,
			[]string{"a:n"},
			nil,
		},
		{
			"bytes that wait",
			[]supervisor.PeerInfo{peer("a", func(p *supervisor.PeerInfo) { p.RTT = time.Second }), peer("b")},
			map[string]int{"b": 5},
			[]string{"b:n"},
			nil,
		},
		{
			"an alias",
			[]supervisor.PeerInfo{peer("b", func(p *supervisor.PeerInfo) { p.Alias = "x" })},
			map[string]int{"b": 5},
			[]string{"b:f"},
			[]string{"a"},
		},
		{"a second connection", []supervisor.PeerInfo{peer("b", two)}, map[string]int{"b": 5}, []string{"b:cf"}, nil},
		{"an end", nil, nil, nil, []string{"b"}},
	}
	var table peerTable
	all, changed, gone := table.update(nil, nil)
	if all == nil || changed == nil || gone == nil {
		t.Error("a nil slice, which is null in JSON")
	}
	for _, s := range steps {
		all, changed, gone := table.update(entries(s.peers...), s.queued)
		if len(all) != len(s.peers) || !slices.Equal(parts(changed), s.changed) || !slices.Equal(gone, s.gone) {
			t.Errorf("%s: %d of all, changed %q, gone %q; want %d, %q, %q", s.name, len(all), parts(changed), gone,
				len(s.peers), s.changed, s.gone)
		}
	}
}

// An address at which no peer answered, a kept address of a known peer and a peer with two connections appear with all
// that the dashboard shows.
func TestViewShowsAddressesAndConnections(t *testing.T) {
	next := time.UnixMilli(5000)
	node := &fakeNode{
		kept: []supervisor.DialInfo{
			{Address: "h:1", Failures: 3, LastError: fmt.Errorf("refused\x1b[31m"), NextDial: next},
			{Address: "h:2", Peer: "p", Connected: true},
		},
		connected: []supervisor.PeerInfo{peer("p", func(p *supervisor.PeerInfo) {
			p.Agent, p.ClockAhead, p.QueuedSize = "go-p2p 1", 3*time.Second, 300
			p.Traffic = supervisor.Traffic{Received: 3, Sent: 2, Dropped: 1}
			p.Connections = []supervisor.ConnectionInfo{
				{Connection: 7, Address: "h:9", Verified: true, Traffic: supervisor.Traffic{Received: 3, Sent: 2, Dropped: 1}},
				{Connection: 8},
			}
		})},
	}
	list, queuedBytes, listed := listPeers(t.Context(), node, 0)
	all, _, _ := new(peerTable).update(list, queuedBytes)
	if len(all) != 2 || listed != 2 || all[0].Key != "p" || all[1].Key != "@h:1" {
		t.Fatalf("%d peers of %d: %+v", len(all), listed, all)
	}
	var known, silent peerFacts
	for i, into := range []*peerFacts{&known, &silent} {
		if err := json.Unmarshal(all[i].Facts, into); err != nil {
			t.Fatal(err)
		}
	}
	if known.Agent != "go-p2p 1" || known.Role != "dual" || !slices.Equal(known.Addresses, []string{"h:2"}) ||
		len(known.Connections) != 2 || known.Connections[0].Number != 7 || known.Connections[1].Verified {
		t.Errorf("the peer: %+v", known)
	}
	if numbers := string(all[0].Numbers); numbers != "[2,3,300,1000000000000,3,2,1,3000]" {
		t.Errorf("its numbers: %s", numbers)
	}
	if counts := string(all[0].Counts); counts != "[[3,2,1],[0,0,0]]" {
		t.Errorf("the counts of its connections: %s", counts)
	}
	if silent.State != output.StateWaiting || silent.Attempts != 3 || silent.LastError != "refused?[31m" ||
		silent.NextDial != 5000 || silent.ID != "" {
		t.Errorf("the address: %+v", silent)
	}
}

// A full table of quiet peers costs a few hundred bytes per second, one of busy peers less than half of the whole.
func TestChangesAreSmall(t *testing.T) {
	var table peerTable
	size := func(busy, at int) int {
		var peers []supervisor.PeerInfo
		for i := range 500 {
			peers = append(peers, peer(fmt.Sprintf("%032x", i), func(p *supervisor.PeerInfo) {
				p.Address, p.Agent = fmt.Sprintf("192.168.100.%d:9091", i%250), "go-p2p v0.1.0"
				if i < busy {
					p.Traffic.Received, p.LastSeen = uint64(1000+at), time.UnixMilli(1764331234567+int64(at))
				}
			}))
		}
		_, changed, gone := table.update(entries(peers...), nil)
		return len(encode(view{Peers: changed, Gone: gone}))
	}
	whole, quiet, some, busy := size(0, 0), size(0, 0), size(20, 1), size(500, 2)
	t.Logf("500 peers: %d bytes, without changes %d, 20 changed %d, all changed %d", whole, quiet, some, busy)
	if quiet > 500 || some > 4000 || busy > whole/3 {
		t.Error("changes are too large")
	}
}
