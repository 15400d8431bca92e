package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// sharedNode is one member of a node, whose other members are the handlers by name; nil: it does not answer.
type sharedNode struct {
	crowdedNode
	name   string
	others map[string]*Handler

	home         string // of each peer
	dials        bool   // the member dials each peer
	disconnected int    // calls of Disconnect
}

func (n *sharedNode) Member() string { return n.name }

func (n *sharedNode) Members() ([]output.Member, error) {
	list := []output.Member{{Name: "a", State: "draining"}, {Name: "b", State: "alive"}, {Name: "c", State: "lost"}}
	for i := range list {
		list[i].Self = list[i].Name == n.name
	}
	return list, nil
}

func (n *sharedNode) Home(string) string { return n.home }

// Disconnect implements Node. The peer is connected to its home.
func (n *sharedNode) Disconnect(_ context.Context, peer string, _ bool) (Disconnected, error) {
	if n.disconnected++; n.home != n.name && !n.dials {
		return Disconnected{Peer: peer}, supervisor.ErrNotConnected
	}
	return Disconnected{Peer: peer, PublicKey: n.name}, nil
}

func (n *sharedNode) Status(context.Context) (supervisor.Status, error) {
	return supervisor.Status{
		Connections: supervisor.ConnectionCounts{Established: n.peers, Max: 10}, Counters: map[string]uint64{"dials": 2},
	}, n.err
}

func (n *sharedNode) AskMembers(ctx context.Context, q []byte, names ...string) (list []supervisor.MemberAnswer) {
	for name, h := range n.others {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		answer := supervisor.MemberAnswer{Member: name, Err: supervisor.ErrUnanswered}
		if h != nil {
			answer.Answer, answer.Err = h.Answer(ctx, q)
		}
		list = append(list, answer)
	}
	return list
}

// sharedBy returns a client of member a of a node with the members a, b and c, of which c does not answer.
func sharedBy(t *testing.T) *Client {
	t.Helper()
	b := NewHandler(&sharedNode{name: "b", crowdedNode: crowdedNode{peers: 1200, addresses: 3}}, 1<<20)
	return serve(t, t.TempDir(), &sharedNode{
		name: "a", crowdedNode: crowdedNode{peers: 700}, others: map[string]*Handler{"b": b, "c": nil},
	})
}

// TestPeersOfAllMembers reads the peers of all members, and of one.
func TestPeersOfAllMembers(t *testing.T) {
	client := sharedBy(t)
	for member, want := range map[string]struct {
		entries int
		missing string
	}{"": {1203, "c"}, "a": {700, ""}, "b": {1203, ""}} {
		list, missing, err := client.PeersOf(t.Context(), member)
		if err != nil || len(list) != want.entries || strings.Join(missing, " ") != want.missing {
			t.Errorf("%q: %d entries, missing %q, %v", member, len(list), missing, err)
		}
	}
	for _, member := range []string{"c", "z"} {
		if list, _, err := client.PeersOf(t.Context(), member); err == nil || len(list) != 0 {
			t.Errorf("%s: %d entries, %v", member, len(list), err)
		}
	}
}

// TestMembersAreAskedForShortPages requires the answer of a member to fit a message for each length of a page.
func TestMembersAreAskedForShortPages(t *testing.T) {
	for _, query := range []string{"", "?limit=1000", "?limit=250"} {
		raw, err := sharedBy(t).Get(t.Context(), "peers"+query)
		var page PeerPage
		if err == nil {
			err = json.Unmarshal(raw, &page)
		}
		if err != nil || len(page.Peers) != maxMemberPage || page.Next == "" {
			t.Errorf("%q: %d entries, want %d; next %q, %v", query, len(page.Peers), maxMemberPage, page.Next, err)
		}
	}
}

// TestMergePagesEndsAtTheShortestPage merges pages of which one has fewer entries than the limit and is not the last.
func TestMergePagesEndsAtTheShortestPage(t *testing.T) {
	page := func(member string, ids ...string) memberPage {
		p := memberPage{member, PeerPage{Next: encodeCursor(ids[len(ids)-1])}}
		for _, id := range ids {
			p.Peers = append(p.Peers, output.Peer{ID: id})
		}
		return p
	}
	for _, pages := range [][]memberPage{
		{page("a", "1"), page("b", "2", "3")}, {page("a", "2", "3"), page("b", "1")},
	} {
		merged := mergePages(pages, 3, func(string) string { return "" })
		if len(merged.Peers) != 1 || merged.Peers[0].ID != "1" || decodeCursor(merged.Next) != "1" {
			t.Errorf("%+v behind %q, want 1: the page behind it may begin with another", merged.Peers, merged.Next)
		}
	}
}

// TestStatusOfAllMembers requires a status to name each member, and one of a member to be that member's.
func TestStatusOfAllMembers(t *testing.T) {
	client := sharedBy(t)
	var status output.Status
	raw, err := client.Get(t.Context(), "status")
	if err == nil {
		err = json.Unmarshal(raw, &status)
	}
	if err != nil || len(status.Members) != 3 || status.State != "draining" || status.Connections.Established != 700 {
		t.Fatalf("%+v, %v", status, err)
	}
	for i, want := range []output.MemberStatus{
		{Name: "a", Self: true, Answered: true, State: "draining", Connections: output.ConnectionCounts{Established: 700}},
		{Name: "b", Answered: true, State: "alive", Connections: output.ConnectionCounts{Established: 1200}},
		{Name: "c", State: "lost"},
	} {
		got := status.Members[i]
		if got.Name != want.Name || got.State != want.State || got.Self != want.Self || got.Answered != want.Answered ||
			got.Connections.Established != want.Connections.Established {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	status.AddMembers()
	if status.Connections.Established != 1900 || status.Connections.Max != 20 || status.Counters["dials"] != 4 {
		t.Errorf("together: %+v, %v", status.Connections, status.Counters)
	}
	if raw, err = client.Get(t.Context(), "status?member=b"); err == nil {
		status = output.Status{}
		err = json.Unmarshal(raw, &status)
	}
	if err != nil || status.Members != nil || status.Connections.Established != 1200 {
		t.Errorf("of b: %+v, %v", status, err)
	}
	_, err = client.Get(t.Context(), "status?member=c")
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != CodeTimeout || !strings.Contains(refused.Advice, "`node members`") {
		t.Errorf("of c: %+v", err)
	}
}

// TestAnswerOnlyReads requires a member to answer no other question than for its status and its peers, and to
// disconnect a peer given by its ID.
func TestAnswerOnlyReads(t *testing.T) {
	h := NewHandler(&sharedNode{name: "a"}, 1<<20)
	for _, question := range []string{
		"/v1/config", "/v1/disconnect", "/v1/disconnect?peer=bob", "/v1/disconnect?peer=*", "/v1/forget",
		"/v1/peers?x=1", "/v1/peers?limit=x", "/v2", "", "%", "http://x/v1/report",
	} {
		if answer, err := h.Answer(t.Context(), []byte(question)); err == nil {
			t.Errorf("%q: %s", question, answer)
		}
	}
}

// TestDisconnectReachesTheHome disconnects a peer of the asked member, of another one, and of one that does not answer.
func TestDisconnectReachesTheHome(t *testing.T) {
	for name, c := range map[string]struct {
		homeOfA, homeOfB string // of the peer, as the members know it
		dialsA, dialsB   bool
		code             Code
		member, key      string
	}{
		"here":                    {"a", "a", false, false, "", "", "a"},
		"there":                   {"b", "b", false, false, "", "b", "b"},
		"there, dialled here":     {"b", "b", true, false, "", "b", "b"},
		"has left meanwhile":      {"b", "", false, false, CodeNotConnected, "", ""},
		"nowhere":                 {"", "", false, false, CodeNotConnected, "", ""},
		"nowhere, dialled there":  {"", "", false, true, "", "b", "b"},
		"nowhere, dialled here":   {"", "", true, false, "", "", "a"},
		"at one that is silent":   {"c", "c", false, false, CodeTimeout, "", ""},
		"at the other than known": {"c", "b", false, false, "", "b", "b"},
	} {
		b := &sharedNode{name: "b", home: c.homeOfB, dials: c.dialsB}
		a := &sharedNode{name: "a", home: c.homeOfA, dials: c.dialsA, others: map[string]*Handler{
			"b": NewHandler(b, 1<<20), "c": nil,
		}}
		gone, err := NewHandler(a, 1<<20).disconnect(t.Context(), DisconnectRequest{Peer: "bob"})
		var code Code
		if err != nil {
			code = explain(err).Code
		}
		if code != c.code || code == "" && (gone.Member != c.member || gone.PublicKey != c.key) ||
			a.disconnected != 1 || b.disconnected != 1 {
			t.Errorf("%s: %+v, %v, calls %d and %d", name, gone, err, a.disconnected, b.disconnected)
		}
	}
}

// TestMovedPeerIsListedOnce merges the entries of a peer at its earlier and its present member.
func TestMovedPeerIsListedOnce(t *testing.T) {
	at := func(member string, number uint64) memberPage {
		return memberPage{member, PeerPage{Peers: []output.Peer{{
			ID: "p", State: output.StateConnected, Member: member, Connection: number,
		}}}}
	}
	for _, pages := range [][]memberPage{{at("a", 1), at("b", 2)}, {at("b", 2), at("a", 1)}} {
		merged := mergePages(pages, 10, func(string) string { return "b" })
		if len(merged.Peers) != 1 || merged.Peers[0].Member != "b" || merged.Peers[0].Connection != 2 {
			t.Errorf("%+v", merged.Peers)
		}
	}
}

// TestMergePagesAgreesWithAll pages through random lists of several members, and compares the entries with the union.
func TestMergePagesAgreesWithAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	states := []output.State{output.StateAway, output.StateWaiting, output.StateDialling, output.StateConnected}
	for round := range 300 {
		members := make([][]output.Peer, 1+random.IntN(4))
		best := make(map[string]output.State)
		for i := range members {
			for id := range 30 {
				if random.IntN(2) == 0 {
					continue
				}
				p := output.Peer{ID: fmt.Sprintf("%02d", id), State: states[random.IntN(len(states))]}
				if id >= 20 {
					p.ID, p.Address = "", fmt.Sprintf("a%02d", id)
				}
				members[i] = append(members[i], p)
				if key := entryKey(p); best[key] == "" || slices.Index(states, p.State) > slices.Index(states, best[key]) {
					best[key] = p.State
				}
			}
		}
		limit, after, got := 1+random.IntN(12), "", 0
		for steps := 0; ; steps++ {
			var pages []memberPage
			for i, list := range members {
				rest := slices.DeleteFunc(slices.Clone(list), func(p output.Peer) bool { return entryKey(p) <= after })
				page := PeerPage{Peers: rest}
				if len(rest) > limit {
					page.Peers, page.Next = rest[:limit], encodeCursor(entryKey(rest[limit-1]))
				}
				pages = append(pages, memberPage{strconv.Itoa(i), page})
			}
			merged := mergePages(pages, limit, func(string) string { return "1" })
			if len(merged.Peers) > limit {
				t.Fatalf("round %d: a page of %d", round, len(merged.Peers))
			}
			for _, p := range merged.Peers {
				if key := entryKey(p); key <= after || best[key] != p.State {
					t.Fatalf("round %d: entry %q %s behind %q, want %s", round, key, p.State, after, best[key])
				}
				got++
			}
			if merged.Next == "" {
				break
			}
			if after = decodeCursor(merged.Next); steps > 100 {
				t.Fatal(errors.New("no end"))
			}
		}
		if got != len(best) {
			t.Fatalf("round %d: %d entries of %d", round, got, len(best))
		}
	}
}
