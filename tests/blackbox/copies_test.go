package blackbox

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// newHomeOrdered makes a home whose identity has a smaller or a larger id than the node's.
func newHomeOrdered(n *node, smaller bool) string {
	n.t.Helper()
	for {
		home := newHome(n.t)
		r := in(n.t, home, "id", "--output", "json")
		r.want(n.t, 0)
		var id refpeer.Public
		r.decode(n.t, &id)
		if (id.ID < n.id()) == smaller {
			return home
		}
	}
}

// TestCopiedDataDirectory runs two nodes with one identity against a hub: the second start is reported, the second node
// is told and backs off, the first one stays connected.
func TestCopiedDataDirectory(t *testing.T) {
	t.Parallel()
	for name, smaller := range map[string]bool{"smaller id": true, "larger id": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := start(t)
			home, other := newHomeOrdered(hub, smaller), newHome(t)
			if err := os.CopyFS(filepath.Join(other, "data"), os.DirFS(filepath.Join(home, "data"))); err != nil {
				t.Fatal(err)
			}
			for _, path := range filesIn(t, other) {
				if err := os.Chmod(path, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			original := startIn(t, home, "--peer", hub.address())
			hub.await("peer_up", "peer", original.id())
			began := time.Now()
			second := startIn(t, other, "--peer", hub.address())
			if second.id() != original.id() {
				t.Fatalf("the copy runs as %s, want %s", second.id(), original.id())
			}
			e := hub.await("identity_conflict", "peer", original.id())
			e.wantKeys(t, "unproven", "peer", "addresses")
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("reported after %v, want 40 s at most", took)
			}
			if got := e.fields["addresses"]; !reflect.DeepEqual(got, []any{"127.0.0.1"}) || e.fields["unproven"] != nil {
				t.Errorf("addresses %q, want 127.0.0.1 alone, proven: %s", got, e.line)
			}
			second.await("peer_down", "reason", "identity in use from another address", "code", float64(1000), "remote", true)
			hub.awaitStatus("the original alone", func(s status) bool { return s.Connections.Established == 1 })
			if hub.count("peer_down") != 0 || original.count("peer_down") != 0 || second.count("peer_down") != 3 {
				t.Errorf("the copy was closed %d times, want 3; the others saw %d and %d ends, want none",
					second.count("peer_down"), hub.count("peer_down"), original.count("peer_down"))
			}
		})
	}
}
