package cluster_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/peerbook"
)

func keyOf(peer string) crypto.PublicKey { return keysOf(peer).PublicKey() }

// unconfirmed returns the members that an error names.
func unconfirmed(err error) (names []string) {
	var members *supervisor.MembersError
	if errors.As(err, &members) {
		for _, m := range members.Members {
			names = append(names, m.Member)
		}
	}
	return names
}

// A change is in force at every member when it returns, and the peer's connection at another member is closed.
func TestRevokeIsInForceAtEveryMember(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		peer := m.peer("peer", []string{"b"})
		m.pass(5 * time.Second)
		m.check()
		began := time.Now()
		if err := m.hosts["a"].Revoke(keyOf("peer")); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("it took %v, want one round trip", took)
		}
		for _, h := range m.running() {
			if !h.book.Revoked(keyOf("peer")) {
				t.Errorf("not revoked at %s", h.name)
			}
		}
		m.pass(5 * time.Second)
		if homes := m.homes(peer.id()); len(homes) != 0 {
			t.Errorf("the peer is connected to %q", homes)
		}
		if err := m.hosts["c"].Allow(keyOf("peer")); err != nil {
			t.Error(err)
		}
		m.pass(2 * time.Minute)
		m.check()
	})
}

// A change of mode, an alias and a suspension reach every member, too.
func TestOperatorsChangesReachEveryMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		peer := m.peer("peer", []string{"b"})
		m.pass(5 * time.Second)
		a, b := m.hosts["a"], m.hosts["b"]
		if err := a.SetAlias(peer.id(), "friend"); err != nil || b.book.AliasOwner("friend") != peer.id() {
			t.Errorf("alias: %v, %q", err, b.book.AliasOwner("friend"))
		}
		if err := a.DisconnectUntil(t.Context(), peer.id(), time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		m.pass(5 * time.Second)
		if b.GetConnection(peer.id()) != nil {
			t.Error("a peer that is refused for an hour is connected")
		}
		if err := a.Allow(keyOf("peer")); err != nil {
			t.Error(err)
		}
		if _, err := a.SetAuthModeContext(t.Context(), supervisor.PeerAuthAllowlist); err != nil {
			t.Error(err)
		}
		if b.book.AuthMode() != supervisor.PeerAuthAllowlist || !b.book.SuspendedUntil(peer.id(), time.Now()).IsZero() {
			t.Errorf("mode %v at b, refused until %v", b.book.AuthMode(), b.book.SuspendedUntil(peer.id(), time.Now()))
		}
		m.pass(2 * time.Minute)
		m.check()
	})
}

// During a cut a revocation names the members that it does not reach. They take it over when the cut heals, before they
// admit the peer, and their own change of another key counts, too.
func TestRevokeDuringACutIsAppliedBeforeAdmission(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		m.pass(time.Second)
		cut := func(on bool) {
			for _, other := range []string{"a", "b"} {
				m.bus.CutBoth("c", other, on)
			}
		}
		cut(true)
		m.pass(3 * time.Second)
		if names := unconfirmed(m.hosts["a"].Revoke(keyOf("peer"))); len(names) != 1 || names[0] != "c" {
			t.Errorf("the members %q are named, want c", names)
		}
		if names := unconfirmed(m.hosts["c"].Allow(keyOf("friend"))); len(names) != 2 {
			t.Errorf("the members %q are named, want a and b", names)
		}
		m.bus.Delay(100*time.Millisecond, 100*time.Millisecond)
		cut(false)
		m.pass(360 * time.Millisecond) // a heartbeat has arrived, the records have not
		if m.hosts["c"].book.Revoked(keyOf("peer")) {
			t.Error("nothing to wait for")
		}
		peer := m.peer("peer", []string{"c"})
		m.pass(10 * time.Second)
		if kinds := m.hosts["c"].eventsOf(peer.id()); len(kinds) != 0 {
			t.Errorf("the revoked peer was admitted: %q", kinds)
		}
		for _, h := range m.running() {
			if !h.book.Revoked(keyOf("peer")) || !h.book.Allowed(keyOf("friend")) {
				t.Errorf("%s: revoked %v, allowed %v", h.name, h.book.Revoked(keyOf("peer")), h.book.Allowed(keyOf("friend")))
			}
		}
	})
}

// The heartbeats of a member arrive, and its answers do not: the change names it after two seconds.
func TestRevokeNamesASilentMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(time.Second)
		m.bus.Cut("a", "b", true)
		began := time.Now()
		names := unconfirmed(m.hosts["a"].Revoke(keyOf("peer")))
		if took := time.Since(began); len(names) != 1 || took > 2*time.Second {
			t.Errorf("the members %q are named after %v, want b within 2 s", names, took)
		}
		m.bus.HealAll()
		m.pass(time.Second)
		if !m.hosts["b"].book.Revoked(keyOf("peer")) {
			t.Error("not revoked at b")
		}
	})
}

// A member that starts with the book of last week learns of revocations before it accepts a peer.
func TestMemberJoinsWithAnOldAllowlist(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(time.Second)
		if err := m.hosts["a"].Allow(keyOf("peer")); err != nil {
			t.Error(err)
		}
		m.hosts["b"].stop()
		m.pass(time.Hour)
		if err := m.hosts["a"].Revoke(keyOf("peer")); err != nil {
			t.Error(err)
		}
		peer := m.peer("peer", []string{"b"}) // dials all the time
		m.pass(time.Minute)
		m.bus.Delay(150*time.Millisecond, 150*time.Millisecond)
		b := m.member("b")
		if !b.book.Revoked(keyOf("peer")) || b.book.Allowed(keyOf("peer")) {
			t.Error("the member accepts peers and has the old allowlist")
		}
		m.pass(time.Minute)
		if kinds := b.eventsOf(peer.id()); len(kinds) != 0 {
			t.Errorf("the revoked peer was admitted: %q", kinds)
		}
	})
}

// The clocks of the members differ by two hours. The change of an operator wins against every earlier one, whichever
// member carries it out.
func TestLaterChangeWinsDespiteClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		for name, skew := range map[string]time.Duration{"a": time.Hour, "b": 0, "c": -time.Hour} {
			h := m.newMember(name)
			clock := func() time.Time { return time.Now().Add(skew) }
			h.start(keysOf("node"), nil, supervisor.WithCluster(h.engine), supervisor.WithClock(clock))
		}
		m.pass(time.Second)
		key := keyOf("peer")
		for i, name := range []string{"a", "c", "b", "c", "a", "b", "c"} {
			revoke := i%2 == 0
			change := m.hosts[name].Allow
			if revoke {
				change = m.hosts[name].Revoke
			}
			if err := change(key); err != nil {
				t.Errorf("step %d: %v", i, err)
			}
			for _, h := range m.running() {
				if h.book.Revoked(key) != revoke {
					t.Errorf("step %d at %s: revoked is %v at %s", i, name, !revoke, h.name)
				}
			}
			m.pass(time.Second)
		}
	})
}

// Two members change one key at the same moment while they are cut off: it is revoked at both in the end.
func TestRevokeWinsATie(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(time.Second)
		m.bus.CutBoth("a", "b", true)
		m.pass(3 * time.Second)
		key := keyOf("peer")
		_, _ = unconfirmed(m.hosts["a"].Revoke(key)), unconfirmed(m.hosts["b"].Allow(key)) // in the same nanosecond
		if !m.hosts["a"].book.Revoked(key) || !m.hosts["b"].book.Allowed(key) {
			t.Error("nothing to decide")
		}
		m.bus.HealAll()
		m.pass(time.Second)
		for _, h := range m.running() {
			if !h.book.Revoked(key) {
				t.Errorf("not revoked at %s", h.name)
			}
		}
	})
}

// peersOnShelves returns the names of n peers whose aliases are on the first few shelves of records.
func peersOnShelves(n, shelves int) (names []string) {
	for i := 0; len(names) < n; i++ {
		alias := supervisor.BookRecord{Kind: peerbook.RecordAlias, Subject: fmt.Sprint("peer", i)}
		if key := sha256.Sum256([]byte(alias.Key())); int(key[0]) < shelves {
			names = append(names, alias.Subject)
		}
	}
	return names
}

// Members that differ in several pages of records agree after a heartbeat.
func TestManyRecordsAreExchangedInPages(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		a, b := w.members["a"], w.members["b"]
		aliases := make(map[string]string)
		for _, peer := range peersOnShelves(2000, 2) { // four pages on each
			aliases[peer] = "alias " + peer
		}
		if _, err := a.book.Enter(supervisor.BookChange{Alias: aliases}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if len(a.book.Records(0, "", 2000)) < 600 {
			t.Error("the first shelf has less than three pages: nothing was tested")
		}
		time.Sleep(5 * time.Second)
		if a.book.RecordSums() != b.book.RecordSums() {
			t.Error("the records differ")
		}
	})
}

// A peer that is forgotten at one member is forgotten at all that can be reached, unless they have seen it since.
func TestForgetReachesEveryMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(time.Second)
		b := m.hosts["b"]
		for id, seen := range map[string]time.Time{"old": time.Now(), "new": time.Now().Add(time.Hour)} {
			b.book.Add(supervisor.Peer{ID: id, LastSeen: seen})
		}
		m.pass(time.Second)
		if _, err := m.hosts["a"].Forget(t.Context(), "old", "new", "unknown"); err != nil {
			t.Error(err)
		}
		for id, want := range map[string]bool{"old": false, "new": true} {
			if _, known := b.book.Get(id); known != want {
				t.Errorf("%s is known %v, want %v", id, known, want)
			}
		}
		m.bus.Cut("a", "b", true)
		if _, err := m.hosts["a"].Forget(t.Context(), "new"); len(unconfirmed(err)) != 1 {
			t.Errorf("error %v, want one that names b", err)
		}
	})
}
