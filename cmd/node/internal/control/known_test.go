package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

func TestPeersListsPeersAndAddresses(t *testing.T) {
	list, err := serve(t, t.TempDir(), &fakeNode{}).Peers(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != bobID || list[1].ID != "" || list[1].Address != "host:2" ||
		list[1].LastError != "no route" {
		t.Errorf("%+v, %v", list, err)
	}
}

// crowdedNode has many peers and addresses, in no order, and one connected peer.
type crowdedNode struct {
	fakeNode
	peers, addresses int
}

func (n *crowdedNode) Peers(context.Context) (list []supervisor.PeerInfo, _ error) {
	for i := n.peers; i > 0; i-- {
		list = append(list, supervisor.PeerInfo{ID: fmt.Sprintf("%032x", i), Connected: i == 7, Verified: i == 7})
	}
	return list, nil
}

func (n *crowdedNode) KeptAddresses(context.Context) (list []supervisor.DialInfo, _ error) {
	for i := n.addresses; i > 0; i-- {
		list = append(list, supervisor.DialInfo{
			Address: fmt.Sprintf("ws://[::1%%25x]:%d/a/b", i), LastError: errors.New("x"),
		})
	}
	return list, nil
}

func TestClientReadsAllPages(t *testing.T) {
	list, err := serve(t, t.TempDir(), &crowdedNode{peers: 2500, addresses: 600}).Peers(t.Context())
	if err != nil || len(list) != 3100 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	cursors := make([]string, len(list))
	for i, p := range list {
		cursors[i] = cursor(p)
	}
	if !slices.IsSorted(cursors) || len(slices.Compact(cursors)) != 3100 || list[2500].ID != "" {
		t.Error("the entries are not sorted, or one is there twice")
	}
}

func TestPageEndsWithTheList(t *testing.T) {
	list := []output.Peer{{Address: "b"}, {ID: "2"}, {ID: "4"}, {Address: "a"}}
	b := "~Yg" // base64 of b
	for _, c := range []struct {
		after string
		limit int
		want  string
		next  string
	}{
		{"", 4, "2 4 a b", ""},
		{"", 3, "2 4 a", "~YQ"},
		{"", 1, "2", "2"},
		{"2", 1, "4", "4"},
		{"3", 1, "4", "4"}, // the entry of the cursor has gone
		{"4", 1, "a", "~YQ"},
		{"~YQ", 1, "b", ""},
		{b, 1, "", ""},
		{"~~", 9, "", ""},
	} {
		p := page(slices.Clone(list), c.after, c.limit)
		var got []string
		for _, e := range p.Peers {
			got = append(got, e.ID+e.Address)
		}
		if strings.Join(got, " ") != c.want || p.Next != c.next || p.Peers == nil {
			t.Errorf("after %q, %d: %q, next %q; want %q, %q", c.after, c.limit, got, p.Next, c.want, c.next)
		}
	}
}

func TestPeersSelectsConnectedOnes(t *testing.T) {
	client := serve(t, t.TempDir(), &crowdedNode{peers: 20, addresses: 3})
	for query, want := range map[string]int{"connected=true": 1, "connected=false": 23, "limit=2": 2} {
		raw, err := client.Get(t.Context(), "peers?"+query)
		if n := strings.Count(string(raw), `"id":`); err != nil || n != want {
			t.Errorf("%s: %d entries, %v; want %d", query, n, err, want)
		}
	}
}
