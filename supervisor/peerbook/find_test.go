package peerbook

import (
	"path/filepath"
	"slices"
	"testing"
)

func ids(peers []Peer) (list []string) {
	for _, p := range peers {
		list = append(list, p.ID)
	}
	return list
}

func TestFindMatchesNamesAndPrefixes(t *testing.T) {
	book := New()
	for _, p := range []Peer{
		{ID: "aaaa1111", Name: "alice"},
		{ID: "aaaa2222", Name: "bob"},
		{ID: "bbbb3333", Name: "aaaa", Persistent: true},
		{ID: "cccc4444", Name: "bob", Persistent: true},
	} {
		book.Add(p)
	}
	for text, want := range map[string][]string{
		"alice": {"aaaa1111"}, "bob": {"aaaa2222", "cccc4444"}, "aaaa": {"aaaa1111", "aaaa2222", "bbbb3333"},
		"aaa": nil, "cccc4444": {"cccc4444"}, "cccc44445": nil, "": nil,
	} {
		if got := ids(book.Find(text, 4)); !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
	if got, want := ids(book.Persistent()), []string{"bbbb3333", "cccc4444"}; !slices.Equal(got, want) {
		t.Errorf("persistent: %v, want %v", got, want)
	}
}

func TestAtFindsAnotherPeer(t *testing.T) {
	book := New()
	book.Add(Peer{ID: "a", Address: "x:1"})
	book.Add(Peer{ID: "b"})
	for _, tt := range []struct{ address, id, want string }{{"x:1", "b", "a"}, {"x:1", "a", ""}, {"y:1", "b", ""}} {
		if got := book.At(tt.address, tt.id); got != tt.want {
			t.Errorf("At(%q, %q) is %q, want %q", tt.address, tt.id, got, tt.want)
		}
	}
}

func TestRevokedIDFollowsRevocations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	key, other := testKey(t, 1), testKey(t, 2)
	check := func(step string, want bool) {
		t.Helper()
		if got := book.RevokedID(key.NodeID()); got != want || book.Revoked(key) != want || book.RevokedID(other.NodeID()) {
			t.Errorf("%s: %v, want %v", step, got, want)
		}
	}
	check("at first", false)
	for range 2 { // a second time makes no difference
		if err := book.Revoke(key); err != nil {
			t.Fatal(err)
		}
	}
	check("revoked", true)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	book = openBook(t, path)
	check("opened again", true)
	for range 2 {
		if err := book.Allow(key, other); err != nil {
			t.Fatal(err)
		}
	}
	check("allowed", false)
}
