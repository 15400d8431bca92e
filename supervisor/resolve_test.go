package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

func TestPreferKeepsStrangersOutOfNamesAndPrefixes(t *testing.T) {
	id := func(head string) string { return head + strings.Repeat("0", 32-len(head)) }
	peer := func(head, name string, known, named int) Peer {
		p := Peer{ID: id(head), Name: name, AddedAt: time.Unix(int64(known), 0)}
		if named > 0 {
			p.NamedAt = time.Unix(int64(named), 0)
		}
		return p
	}
	binding := func(p Peer) Peer { p.Binds = true; return p }
	alice, bob := peer("aaaaaaaa1", "alice", 100, 0), peer("bbbbbbbb1", "bob", 200, 0)
	tests := []struct {
		name   string
		text   string
		known  []Peer
		chosen string // names the peer whose ID begins so
		want   []string
	}{
		{"a name", "alice", []Peer{alice, bob}, "", []string{alice.ID}},
		{"a prefix", "aaaaaaaa", []Peer{alice, bob}, "", []string{alice.ID}},
		{"a prefix of 7 characters", "aaaaaaa", []Peer{alice, bob}, "", nil},
		{"no peer", "carol", []Peer{alice, bob}, "", nil},
		{"book and connection of one peer", "alice", []Peer{alice, alice}, "", []string{alice.ID}},
		{"a later stranger with the name", "alice", []Peer{peer("c", "alice", 110, 0), alice}, "", []string{alice.ID}},
		{
			"an earlier peer that takes the name later", "alice",
			[]Peer{peer("c", "alice", 1, 110), alice},
			"",
			[]string{alice.ID},
		},
		{
			"an earlier peer that had the name before", "alice",
			[]Peer{peer("c", "alice", 1, 90), alice},
			"",
			[]string{id("c")},
		},
		{
			"two peers known since the same moment", "alice",
			[]Peer{peer("c", "alice", 100, 0), alice},
			"",
			[]string{alice.ID, id("c")},
		},
		{"two peers known within 10 s", "alice", []Peer{peer("c", "alice", 109, 0), alice}, "", []string{alice.ID, id("c")}},
		{"of these one binds its frames", "alice", []Peer{binding(peer("c", "alice", 109, 0)), alice}, "", []string{id("c")}},
		{
			"a later stranger that binds its frames", "alice",
			[]Peer{binding(peer("c", "alice", 110, 0)), alice},
			"",
			[]string{alice.ID},
		},
		{"the later one is chosen", "alice", []Peer{peer("c", "alice", 110, 0), alice}, "c", []string{id("c")}},
		{
			"a later stranger whose id begins so", "aaaaaaaa",
			[]Peer{peer("aaaaaaaa2", "x", 110, 0), alice},
			"",
			[]string{alice.ID},
		},
		{
			"an earlier stranger whose id begins so", "aaaaaaaa",
			[]Peer{peer("aaaaaaaa2", "x", 1, 0), alice},
			"aaaaaaaa1",
			[]string{alice.ID},
		},
		{
			"a new name changes no prefix", "aaaaaaaa",
			[]Peer{peer("aaaaaaaa2", "x", 1, 500), alice},
			"",
			[]string{id("aaaaaaaa2")},
		},
		{"a stranger named like a prefix", "aaaaaaaa", []Peer{peer("c", "aaaaaaaa", 1, 0), alice}, "", []string{alice.ID}},
		{"a stranger named like an id", alice.ID, []Peer{peer("c", alice.ID, 1, 0), alice}, "", []string{alice.ID}},
		{"a stranger named like an id that is not known", id("e"), []Peer{peer("c", id("e"), 1, 0)}, "", nil},
		{
			"a chosen peer that is named like another's prefix", "facade00",
			[]Peer{peer("facade00", "x", 1, 0), peer("d", "facade00", 9, 0)},
			"d",
			[]string{id("facade00")},
		},
		{
			"two chosen peers of one name", "alice",
			[]Peer{peer("aa", "alice", 1, 0), alice},
			"aa",
			[]string{id("aa"), alice.ID},
		},
		{"two chosen, one by prefix", "aaaaaaaa", []Peer{peer("aa", "aaaaaaaa", 1, 0), alice}, "aa", []string{alice.ID}},
	}
	for _, tt := range tests {
		fitting := fit(tt.text, tt.known)
		for i, c := range fitting {
			fitting[i].chosen = tt.chosen != "" && strings.HasPrefix(c.ID, tt.chosen)
		}
		var got []string
		for _, c := range prefer(fitting) {
			got = append(got, c.ID)
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// named starts a node with a name that the test chooses.
func named(t *testing.T, n *memnet.Network, number int, name string) *testNode {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return startNode(t, n, number, func(s *nodeSetup) { s.keys = keys })
}

func (n *testNode) wantResolved(text, want string) {
	n.t.Helper()
	if got, err := n.Resolve(text); got != want || err != nil {
		n.t.Errorf("%q is %q (%v), want %q", text, got, err, want)
	}
}

func TestResolveIgnoresLaterStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, alice := startNode(t, n, 1), named(t, n, 2, "alice")
		alice.dial(node)
		prefix := alice.id()[:8]
		time.Sleep(sameMoment)
		for number, name := range []string{"alice", prefix, alice.id()} {
			named(t, n, 3+number, name).dial(node)
		}
		node.wantSlots(4, 0)
		for _, text := range []string{"alice", prefix, alice.id()} {
			node.wantResolved(text, alice.id())
		}
	})
}

// A peer that has been known longer takes a name later, over a new connection.
func TestResolveIgnoresRenamedStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, host := startNode(t, n, 1), n.Attach("10.0.0.2")
		connect := func(name string) string {
			identity, err := refpeer.Load(name, bytes.Repeat([]byte{7}, 32))
			if err != nil {
				t.Fatal(err)
			}
			d := refpeer.StartDeployed(refpeer.DeployedOptions{
				Identity: identity, PingInterval: 30 * time.Second, Worker: true, NetDial: host.DialContext,
			})
			t.Cleanup(d.Close)
			if err := d.Connect(t.Context(), "ws://"+node.addr+"/ws"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // our first ping is due after 1 s
			return identity.ID
		}
		stranger := connect("stranger")
		alice := named(t, n, 3, "alice")
		alice.dial(node)
		time.Sleep(sameMoment)
		if connect("alice") != stranger {
			t.Fatal("another identity")
		}
		if entry, _ := node.book.Get(stranger); entry.Name != "alice" {
			t.Errorf("the book calls the stranger %q: nothing was tested", entry.Name)
		}
		node.wantResolved("alice", alice.id())
		node.wantResolved(stranger[:8], stranger)
	})
}

func TestResolvePrefersPeersThatTheOperatorChose(t *testing.T) {
	for _, how := range []string{"configured", "connected for good", "allowed"} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			stranger, alice := named(t, n, 2, "alice"), named(t, n, 3, "alice")
			node := startNode(t, n, 1, func(s *nodeSetup) {
				if how == "configured" {
					s.cfg.Peers = []string{alice.addr}
					n.Stall("10.0.0.1", "10.0.0.3")
				}
			})
			stranger.dial(node)
			time.Sleep(time.Second)
			n.Resume("10.0.0.1", "10.0.0.3")
			switch how {
			case "connected for good":
				if _, err := node.ConnectAddress(t.Context(), alice.addr); err != nil {
					t.Fatal(err)
				}
			case "allowed":
				alice.dial(node)
				if err := node.Allow(alice.keys.PublicKey()); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Second)
			node.wantSlots(2, 0)
			node.wantResolved("alice", alice.id())
			if err := node.Allow(stranger.keys.PublicKey()); err != nil {
				t.Fatal(err)
			}
			_, err := node.Resolve("alice")
			var ambiguous *AmbiguousPeerError
			if !errors.Is(err, ErrAmbiguousPeer) || !errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 2 {
				t.Fatalf("two chosen peers: %v, want both as candidates", err)
			}
			for _, c := range ambiguous.Candidates {
				if c.ID != alice.id() && c.ID != stranger.id() || c.Name != "alice" || !strings.HasPrefix(c.Address, "10.0.0.") {
					t.Errorf("candidate %+v", c)
				}
			}
		})
	}
}

func TestAmbiguousPeerErrorListsFiveCandidates(t *testing.T) {
	err := &AmbiguousPeerError{Text: "a"}
	for i := range 7 {
		err.Candidates = append(err.Candidates, PeerCandidate{ID: fmt.Sprint("id", i), Name: "a\x1b[31m", Address: "h:1"})
	}
	got, want := err.Error(), `more than one peer fits: "a" fits 7 peers: id0 ("a\x1b[31m", h:1), `
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "and 2 more") || strings.Count(got, "h:1") != 5 {
		t.Errorf("%s", got)
	}
}

func TestSendNamesThePeerWithoutAProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other := startNode(t, n, 1), startNode(t, n, 2)
		n.SetLatency("10.0.0.2", "10.0.0.1", 100*time.Millisecond)
		want := func(unverified bool) {
			t.Helper()
			err := node.Send(other.id(), node.to(other.id(), "stats", nil))
			_, requested := node.Request(other.id(), node.to(other.id(), "stats", nil))
			_, resolved := node.Resolve(other.id())
			for _, err := range []error{err, requested} {
				if !errors.Is(err, ErrNotConnected) || errors.Is(err, ErrUnverified) != unverified {
					t.Errorf("%v; want unverified: %v", err, unverified)
				}
			}
			if errors.Is(resolved, ErrUnverified) != unverified || errors.Is(resolved, ErrUnknownPeer) == unverified {
				t.Errorf("resolving: %v; want unverified: %v", resolved, unverified)
			}
		}
		want(false)
		other.dial(node)
		n.Stall("10.0.0.2", "10.0.0.1") // the proof is held back
		want(true)
		if _, err := node.Resolve("node2"); !errors.Is(err, ErrUnknownPeer) {
			t.Errorf("its name: %v, want ErrUnknownPeer", err)
		}
		n.Resume("10.0.0.2", "10.0.0.1")
		time.Sleep(time.Second)
		if err := node.Send(other.id(), node.to(other.id(), "stats", nil)); err != nil {
			t.Error(err)
		}
		other.stop()
		if err := node.Send(other.id(), node.to(other.id(), "stats", nil)); errors.Is(err, ErrUnverified) ||
			!errors.Is(err, ErrNotConnected) {
			t.Errorf("after the end: %v, want ErrNotConnected", err)
		}
		if got := len(node.routes.unverified); got != 0 {
			t.Errorf("%d unverified peers, want none", got)
		}
	})
}
