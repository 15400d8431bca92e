package control

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
)

func TestPeersListsPeersAndAddresses(t *testing.T) {
	list, err := serve(t, t.TempDir(), &fakeNode{}).Peers(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != bobID || list[1].ID != "" || list[1].Address != "host:2" ||
		list[1].LastError != "no route" {
		t.Errorf("%+v, %v", list, err)
	}
}

// crowdedNode has many peers and addresses, and one connected peer.
type crowdedNode struct {
	fakeNode
	peers, addresses int
}

// PeerPage implements Node. The cursor of an entry is that of a real node.
func (n *crowdedNode) PeerPage(_ context.Context, q supervisor.PeerQuery) (page supervisor.PeerPage, _ error) {
	type entry struct {
		key  string
		peer bool
	}
	var all []entry
	for i := range n.peers {
		if !q.Connected || i == 7 {
			all = append(all, entry{fmt.Sprintf("%032x", i), true})
		}
	}
	for i := range n.addresses {
		if !q.Connected {
			all = append(all, entry{fmt.Sprintf("~ws://[::1%%25x]:%04d/a/b", i), false})
		}
	}
	at := 0
	for at < len(all) && all[at].key <= q.After {
		at++
	}
	limit := q.Limit
	if limit == 0 {
		limit = supervisor.MaxPeerPage
	}
	rest := all[at:]
	if len(rest) > limit {
		rest = rest[:limit]
		page.Next = rest[limit-1].key
	}
	for _, e := range rest {
		if e.peer {
			page.Peers = append(page.Peers, supervisor.PeerInfo{ID: e.key, Connected: q.Connected, Verified: q.Connected})
		} else {
			page.Dials = append(page.Dials, supervisor.DialInfo{Address: e.key[1:], LastError: errors.New("x")})
		}
	}
	return page, nil
}

// TestClientReadsAllPages requires each entry once, in order, also behind a page that ends with an address.
func TestClientReadsAllPages(t *testing.T) {
	list, err := serve(t, t.TempDir(), &crowdedNode{peers: 2500, addresses: 1600}).Peers(t.Context())
	if err != nil || len(list) != 4100 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	keys := make([]string, len(list))
	for i, p := range list {
		if keys[i] = p.ID; p.ID == "" {
			keys[i] = addressMark + p.Address
		}
	}
	if !slices.IsSorted(keys) || len(slices.Compact(keys)) != 4100 || list[2500].ID != "" {
		t.Error("the entries are not sorted, or one is there twice")
	}
}

func TestCursorsNeedNoEscape(t *testing.T) {
	for _, cursor := range []string{"", bobID, "~", "~ws://[::1%25x]:1/a?b&c"} {
		text := encodeCursor(cursor)
		if url.QueryEscape(text) != text || decodeCursor(text) != cursor {
			t.Errorf("%q is %q, decoded %q", cursor, text, decodeCursor(text))
		}
	}
	if got := decodeCursor("~~"); got != "~~" {
		t.Errorf("a text that is no cursor is %q", got)
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
