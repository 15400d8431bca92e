package cluster_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// A member finds a peer that only another one knows, by name, prefix and ID. A stranger that takes the name at the
// member itself does not become the peer of that name: the one known longest anywhere is.
func TestMembersResolvePeersOfOthers(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		b := m.hosts["b"]
		bob := m.peer("bob", []string{"a"})
		m.pass(30 * time.Second)
		name := bob.Identity().Name
		wants := func(want string) {
			t.Helper()
			for _, text := range []string{name, bob.id(), bob.id()[:supervisor.MinIDPrefix]} {
				if got, err := b.Resolve(text); got != want || err != nil {
					t.Errorf("%s: %q, %v; want %q", text, got, err, want)
				}
			}
			if key, err := b.ResolveKey(t.Context(), bob.id()); err != nil || key.NodeID() != want {
				t.Errorf("key of %s: %v", bob.id(), err)
			}
		}
		wants(bob.id())
		var unknown *supervisor.UnknownPeerError
		if _, err := b.Resolve("nobody"); !errors.As(err, &unknown) {
			t.Errorf("an unknown name: %v", err)
		}
		private := sha256.Sum256([]byte("thief"))
		keys, err := crypto.NodeManagerFromPrivateKey(private[:], name, crypto.RoleDual, time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		m.host("thief").start(keys, []func(*supervisor.TransportConfig){
			func(c *supervisor.TransportConfig) { c.Peers = []string{b.address()} },
		})
		m.pass(30 * time.Second)
		wants(bob.id())
	})
}

// The error about a peer that only a lost member knows names that member.
func TestUnknownPeerMayBeThatOfALostMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		bob := m.peer("bob", []string{"a"})
		m.pass(30 * time.Second)
		m.hosts["a"].kill(false)
		m.pass(5 * time.Second)
		for _, text := range []string{bob.Identity().Name, bob.id()} {
			var unknown, noKey *supervisor.UnknownPeerError
			_, err := m.hosts["b"].Resolve(text)
			_, keyErr := m.hosts["b"].ResolveKey(t.Context(), text)
			if !errors.As(err, &unknown) || !slices.Equal(unknown.Unanswered, []string{"a"}) {
				t.Errorf("peer %s: %v", text, err)
			}
			if !errors.As(keyErr, &noKey) || !slices.Equal(noKey.Unanswered, []string{"a"}) {
				t.Errorf("key of %s: %v", text, keyErr)
			}
		}
	})
}
