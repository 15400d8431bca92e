package clusterlab

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestMembersOfTwoVersionsRefuseEachOther starts a member of a later message format beside one of this format, and the
// reverse. The later one of each pair refuses to start: otherwise each would admit peers that the other has revoked and
// deliver messages that the other has delivered. The earlier one of each pair serves its peer as before.
func TestMembersOfTwoVersionsRefuseEachOther(t *testing.T) {
	t.Parallel()
	later := laterVersion(t)
	for _, row := range []struct{ name, first, second, want string }{
		{"later beside earlier", "", later, "a member is of an earlier version"},
		{"earlier beside later", later, "", "a member is of a later version"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCluster(t, "a", "b")
			c.binary["a"], c.binary["b"] = row.first, row.second
			c.start("a")
			peer := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"], "--peer", c.listen["b"])
			c.awaitHomes(peer.ID())
			mark := peer.Mark()
			r := c.runMember("b")
			if r.Code == 0 || !strings.Contains(r.Stderr, row.want) {
				t.Errorf("exit code %d, want an error with %q: %s", r.Code, row.want, r.Stderr)
			}
			if strings.Contains(r.Stdout, `"listening"`) {
				t.Errorf("the refused member has listened: %s", r.Stdout)
			}
			c.awaitStates("a", "a alive")
			if r := c.members["a"].Run("send", peer.ID(), "still here"); r.Code != 0 {
				t.Errorf("send from a: %s", r.Stderr)
			}
			for _, e := range peer.All()[mark:] {
				if e.Kind == "peer_down" || e.Kind == "peer_moved" {
					t.Errorf("the peer's connection was disturbed: %s", e.Line)
				}
			}
		})
	}
}

// runMember runs a member that is expected to end by itself.
func (c *cluster) runMember(name string) nodetest.Result {
	c.t.Helper()
	o := nodetest.ProcessOptions{Home: c.homes[name], Binary: c.binary[name], Env: c.env[name]}
	return nodetest.RunCommand(c.t, o, append([]string{
		"run", "--output", "json", "--data-dir", filepath.Join(c.homes[name], "data"), "--admin", "",
	}, c.memberFlags(name)...)...)
}

// laterVersion builds a node whose messages between members have the next version.
func laterVersion(t *testing.T) (path string) {
	t.Helper()
	const file = "../../supervisor/cluster/head.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(source, []byte("\nconst version = 1\n"), []byte("\nconst version = 2\n"), 1)
	if bytes.Equal(source, changed) {
		t.Fatalf("%s has no version 1: change this test with it", file)
	}
	dir := t.TempDir()
	replacement, overlay := filepath.Join(dir, "head.go"), filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{replacement: changed, overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "node.exe")
	build := exec.Command("go", "build", "-overlay", overlay, "-o", path, "./cmd/node")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
