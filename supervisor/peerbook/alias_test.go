package peerbook

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Aliases and suspensions are on disk when their methods return.
func TestAliasesAndSuspensionsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 500_000_000)
	steps := []error{
		b.SetAlias("1", "old"), b.SetAlias("1", "bob"), b.SetAlias("2", "eve"), b.SetAlias("2", ""),
		b.Suspend("1", now.Add(time.Hour)), b.Suspend("2", now.Add(time.Hour)), b.Suspend("2", time.Time{}),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if b.Alias("1") != "bob" || b.AliasOwner("bob") != "1" || b.AliasOwner("old") != "" || b.Alias("2") != "" {
			t.Errorf("aliases %v, owners %v", b.aliases, b.owners)
		}
		if until := b.SuspendedUntil("1", now); !until.Equal(now.Add(time.Hour)) {
			t.Errorf("suspended until %v, want %v", until, now.Add(time.Hour))
		}
		if !b.SuspendedUntil("1", now.Add(time.Hour)).IsZero() || !b.SuspendedUntil("2", now).IsZero() ||
			len(b.Suspended(now)) != 1 || len(b.Suspended(now.Add(time.Hour))) != 0 {
			t.Errorf("suspensions %v", b.suspended)
		}
	}
	check()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = Open(path); err != nil {
		t.Fatal(err)
	}
	check()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSetAliasRefusesNames(t *testing.T) {
	b := New()
	if err := b.SetAlias("1", "bob"); err != nil {
		t.Fatal(err)
	}
	key := crypto.PublicKey{31: 9}.String()
	for name, want := range map[string]error{
		"bob": ErrAliasTaken, strings.Repeat("a", 32): ErrAlias, "a\n": ErrAlias, strings.Repeat("x", 300): ErrAlias,
		key: ErrAlias, "": nil, "deadbeef": nil,
	} {
		if err := b.SetAlias("2", name); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if err := b.SetAlias("1", "bob"); err != nil {
		t.Errorf("the same alias again: %v", err)
	}
}

// An alias protects an entry from eviction, and Allow ends a suspension.
func TestAliasProtectsAndAllowEndsASuspension(t *testing.T) {
	b := New()
	b.Add(Peer{ID: "named"})
	b.Add(Peer{ID: "other"})
	if err := b.SetAlias("named", "bob"); err != nil {
		t.Fatal(err)
	}
	if got := ids(b.Unprotected(func(*Peer) bool { return true })); len(got) != 1 || got[0] != "other" {
		t.Errorf("unprotected: %v", got)
	}
	key := crypto.PublicKey{31: 9}
	now := time.Unix(1, 0)
	if err := errors.Join(b.Suspend(key.NodeID(), now.Add(1)), b.Allow(key)); err != nil {
		t.Fatal(err)
	}
	if !b.SuspendedUntil(key.NodeID(), now).IsZero() {
		t.Error("suspended after Allow")
	}
}
