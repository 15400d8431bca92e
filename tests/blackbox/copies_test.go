package blackbox

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// newHomeOrdered makes a home whose identity has a smaller or a larger id than the node's.
func newHomeOrdered(n *node, smaller bool) string {
	n.t.Helper()
	for {
		home := nodetest.NewHome(n.t)
		r := in(n.t, home, "id", "--output", "json")
		r.want(n.t, 0)
		var id refpeer.Public
		r.decode(n.t, &id)
		if (id.ID < n.ID()) == smaller {
			return home
		}
	}
}

// TestCopiedDataDirectoryIsReported runs two nodes with one identity against a hub: the second start is reported, the
// second node gets the reason and backs off, the first one stays connected.
func TestCopiedDataDirectoryIsReported(t *testing.T) {
	t.Parallel()
	for name, smaller := range map[string]bool{"smaller id": true, "larger id": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := start(t)
			home, other := newHomeOrdered(hub, smaller), nodetest.NewHome(t)
			if err := os.CopyFS(filepath.Join(other, "data"), os.DirFS(filepath.Join(home, "data"))); err != nil {
				t.Fatal(err)
			}
			for _, path := range filesIn(t, other) {
				if err := os.Chmod(path, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			original := startIn(t, home, "--peer", hub.Address())
			hub.Await("peer_up", "peer", original.ID())
			began := time.Now()
			second := startIn(t, other, "--peer", hub.Address())
			if second.ID() != original.ID() {
				t.Fatalf("the copy runs as %s, want %s", second.ID(), original.ID())
			}
			e := hub.Await("identity_conflict", "peer", original.ID())
			e.WantKeys(t, "unproven", "peer", "addresses")
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("reported after %v, want 40 s at most", took)
			}
			if got := e.Fields["addresses"]; !reflect.DeepEqual(got, []any{"127.0.0.1"}) || e.Fields["unproven"] != nil {
				t.Errorf("addresses %q, want 127.0.0.1 alone, proven: %s", got, e.Line)
			}
			second.Await("peer_down", "reason", "identity in use from another address", "code", float64(1000), "remote", true)
			var peers []struct {
				State      string
				NextDialAt time.Time
			}
			second.json(&peers, "peers")
			if len(peers) != 1 || peers[0].State != "waiting" || time.Until(peers[0].NextDialAt) > time.Minute ||
				time.Until(peers[0].NextDialAt) < 20*time.Second {
				t.Errorf("the copy shows %+v, want the next dial after a minute", peers)
			}
			hub.AwaitStatus("the original alone", func(s nodetest.Status) bool { return s.Connections.Established == 1 })
			if hub.Count("peer_down") != 0 || original.Count("peer_down") != 0 || second.Count("peer_down") != 3 {
				t.Errorf("the copy was closed %d times, want 3; the others saw %d and %d ends, want none",
					second.Count("peer_down"), hub.Count("peer_down"), original.Count("peer_down"))
			}
		})
	}
}
