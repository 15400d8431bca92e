package supervisor

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

func TestPendingPeersKeepsTheNewest(t *testing.T) {
	key := func(n int) crypto.PublicKey { return crypto.PublicKey{byte(n), byte(n >> 8)} }
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	var l pendingPeers
	n := 0
	add := func(k int, group string) {
		n++
		l.add(PendingPeer{Key: key(k), Last: at(n)}, group)
	}
	for k := range maxPending {
		add(k, fmt.Sprint("group", k/maxPendingPerGroup)) // ten groups of ten
	}
	none := func(crypto.PublicKey) bool { return false }
	has := func(k int) bool {
		for _, p := range l.newest(none) {
			if p.Key == key(k) {
				return true
			}
		}
		return false
	}
	add(5, "group0") // again: the newest of its group now
	if list := l.newest(none); len(list) != maxPending || list[0].Key != key(5) || list[0].Count != 2 ||
		!list[0].First.Equal(at(6)) || !list[0].Last.Equal(at(n)) {
		t.Fatalf("%d entries, the first %+v", len(list), list[0])
	}
	add(1000, "group0")
	if !has(1000) || has(0) || !has(1) || !has(5) || len(l.entries) != maxPending {
		t.Error("a full group must lose its oldest entry")
	}
	add(1001, "")
	if !has(1001) || has(1) || len(l.entries) != maxPending {
		t.Error("a full list must lose its oldest entry")
	}
	settled := func(k crypto.PublicKey) bool { return k != key(1001) }
	if list := l.newest(settled); len(list) != 1 || len(l.entries) != 1 {
		t.Errorf("%d entries, %d left, want one", len(list), len(l.entries))
	}
}

// A stranger that shows the key of a dialled peer neither renames its entry nor moves it into a group of its own, from
// which it could evict it.
func TestPendingKeepsDialledPeers(t *testing.T) {
	var l pendingPeers
	key := crypto.PublicKey{1}
	l.add(PendingPeer{Key: key, Name: "bob", Address: "b:1", Direction: Outbound, Last: time.Unix(1, 0)}, "dialled b")
	l.add(PendingPeer{Key: key, Name: "eve", Address: "e:1", Direction: Inbound, Last: time.Unix(2, 0)}, "eve")
	for k := range maxPendingPerGroup {
		l.add(PendingPeer{Key: crypto.PublicKey{2, byte(k)}, Direction: Inbound, Last: time.Unix(3, 0)}, "eve")
	}
	list := l.newest(func(k crypto.PublicKey) bool { return k != key })
	want := PendingPeer{
		Key: key, Name: "bob", Address: "b:1", Direction: Outbound, First: time.Unix(1, 0), Last: time.Unix(2, 0), Count: 2,
	}
	if len(list) != 1 || list[0] != want {
		t.Errorf("the list is %+v, want %+v", list, want)
	}
}

// A node lists the peers that it refuses in both directions, until they are allowed or revoked.
func TestPendingListsRefusedPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, caller, called := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		if _, err := a.SetAuthModeContext(t.Context(), PeerAuthAllowlist); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := caller.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if _, err := a.Connect(&Peer{Address: called.addr}); !errors.Is(err, ErrNotAllowed) {
			t.Fatal(err)
		}
		list, err := a.Pending(t.Context())
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		if p := list[0]; p.ID != called.id() || p.Key != called.keys.PublicKey() || p.Name != "node3" ||
			p.Address != called.addr || p.Count != 1 || p.Unproven() {
			t.Errorf("the dialled peer: %+v", p)
		}
		if p := list[1]; p.ID != caller.id() || p.Count != 2 || !p.Unproven() || p.Address == "" || p.Last.IsZero() {
			t.Errorf("the caller: %+v", p)
		}
		if err := errors.Join(a.Allow(caller.keys.PublicKey()), a.Revoke(called.keys.PublicKey())); err != nil {
			t.Fatal(err)
		}
		if list, err := a.Pending(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v; want none", list, err)
		}
		if _, err := a.Connect(&Peer{Address: called.addr}); !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked: %v", err)
		}
		if list, err := a.Pending(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v; want no revoked peer", list, err)
		}
	})
}

// Setting the mode returns the number of peers that it disconnects.
func TestSetAuthModeCountsDisconnectedPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1)
		for number := 2; number <= 4; number++ {
			b := startNode(t, n, number)
			b.dial(a)
			if number == 4 {
				if err := a.Allow(b.keys.PublicKey()); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait() // the node has the proofs of the peers, too
		for _, want := range []int{2, 0} {
			if got, err := a.SetAuthModeContext(t.Context(), PeerAuthAllowlist); got != want || err != nil {
				t.Errorf("%d peers, %v; want %d", got, err, want)
			}
			synctest.Wait()
		}
	})
}

// ResolveKey takes keys, aliases, IDs and unique prefixes, and refuses names with the candidates' IDs and keys.
func TestResolveKeyRefusesClaimedNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, bob, other := startNode(t, n, 1), named(t, n, 2, "bob"), named(t, n, 3, "bob")
		bob.dial(a)
		if _, err := a.SetAuthModeContext(t.Context(), PeerAuthAllowlist); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Connect(&Peer{Address: a.addr}); err == nil {
			t.Fatal("connected")
		}
		if err := a.SetAlias(bob.id(), "robert"); err != nil {
			t.Fatal(err)
		}
		key := bob.keys.PublicKey()
		for _, text := range []string{key.String(), "robert", bob.id(), bob.id()[:8]} {
			if got, err := a.ResolveKey(t.Context(), text); got != key || err != nil {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		}
		var claimed *ClaimedNameError
		if _, err := a.ResolveKey(t.Context(), "bob"); !errors.As(err, &claimed) || len(claimed.Candidates) != 2 {
			t.Fatalf("a claimed name: %v", err)
		}
		for _, c := range claimed.Candidates {
			if c.ID != bob.id() && c.ID != other.id() || c.PublicKey == "" {
				t.Errorf("candidate %+v", c)
			}
		}
		for _, text := range []string{"eve", "", other.id(), bob.id()[:7]} {
			if _, err := a.ResolveKey(t.Context(), text); !errors.Is(err, ErrUnknownPeer) {
				t.Errorf("%q: %v, want ErrUnknownPeer", text, err)
			}
		}
		a.book.Add(Peer{ID: bob.id()[:8] + "0", PublicKey: other.keys.PublicKey().String()})
		if _, err := a.ResolveKey(t.Context(), bob.id()[:8]); !errors.Is(err, ErrAmbiguousPeer) {
			t.Errorf("a prefix of two peers: %v", err)
		}
	})
}

// An alias wins over IDs, prefixes and names; a peer that claims it as its name changes nothing.
func TestResolvePrefersAliases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, bob, thief := startNode(t, n, 1), named(t, n, 2, "bob"), named(t, n, 3, "robert")
		thief.dial(a)
		time.Sleep(time.Hour)
		bob.dial(a)
		if err := a.SetAlias(bob.id(), "robert"); err != nil {
			t.Fatal(err)
		}
		a.wantResolved("robert", bob.id())
		a.wantResolved("bob", bob.id())
		if err := a.SetAlias(bob.id(), thief.id()[:8]); err != nil {
			t.Fatal(err)
		}
		a.wantResolved(thief.id()[:8], bob.id())
		a.wantResolved("robert", thief.id())
		peers, err := a.Peers(t.Context())
		for _, p := range peers {
			if want := map[string]string{bob.id(): thief.id()[:8]}[p.ID]; p.Alias != want {
				t.Errorf("%s has the alias %q, want %q", p.ID, p.Alias, want)
			}
		}
		if err != nil || len(peers) != 2 {
			t.Errorf("%d peers, %v", len(peers), err)
		}
	})
}
