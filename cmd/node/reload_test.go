package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// settingsFile is a settings file that a test rewrites.
type settingsFile struct {
	t    *testing.T
	path string
}

func (f settingsFile) write(content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (r *running) maxConns() int {
	r.t.Helper()
	var status output.Status
	if err := json.Unmarshal([]byte(r.ok("status", "--output", "json")), &status); err != nil {
		r.t.Fatal(err)
	}
	return status.Connections.Max
}

func TestReloadAppliesAndReportsChanges(t *testing.T) {
	file := settingsFile{t, filepath.Join(t.TempDir(), "node.yaml")}
	file.write("max-conns: 7")
	node := startNode(t, "alice", "--config", file.path, "--admin", "")
	defer node.stop()
	if text := node.ok("reload"); text != "nothing has changed\n" {
		t.Errorf("at first: %s", text)
	}
	file.write("max-conns: 9\nws-path: /other\nlog-level: debug\nauth: allowlist")
	var result control.Reloaded
	if err := json.Unmarshal([]byte(node.ok("reload", "--output", "json")), &result); err != nil {
		t.Fatal(err)
	}
	if strings.Join(result.Changed, " ") != "auth max-conns log-level" ||
		strings.Join(result.NeedRestart, " ") != "ws-path" {
		t.Errorf("result %+v", result)
	}
	if got := node.maxConns(); got != 9 {
		t.Errorf("max-conns is %d", got)
	}
	if mode := node.ok("auth"); mode != "allowlist\n" {
		t.Errorf("mode %s", mode)
	}
	if text := node.ok("reload"); text != "needs a restart: ws-path\n" {
		t.Errorf("again: %s", text)
	}
	for content, want := range map[string]string{
		"max-conns: [": "no valid YAML", "max-conns: 0": "must be a whole number", "max-connections: 3": "unknown key",
		"max-conns: 3\nreserved-conns: 3": "must be less than",
	} {
		file.write(content)
		status, stdout, stderr := command(node.dir, "reload")
		if status != exitUsage || stdout != "" || !strings.Contains(stderr, want) ||
			!strings.Contains(stderr, "nothing has changed") {
			t.Errorf("%s: status %d, %q, %q", content, status, stdout, stderr)
		}
	}
	if got := node.maxConns(); got != 9 {
		t.Errorf("max-conns is %d after files that cannot be used", got)
	}
}

// SIGHUP reloads: the node dials the added peer and keeps running.
func TestSIGHUPReloads(t *testing.T) {
	file := settingsFile{t, filepath.Join(t.TempDir(), "node.yaml")}
	file.write("max-conns: 7")
	bob := startNode(t, "bob", "--admin", "")
	alice := startNode(t, "alice", "--config", file.path, "--admin", "")
	file.write("max-conns: 8\npeer: [" + bob.first["address"].(string) + "]")
	alice.signals <- syscall.SIGHUP
	alice.next("peer_up")
	if got := alice.maxConns(); got != 8 {
		t.Errorf("max-conns is %d", got)
	}
	alice.stop()
	bob.stop()
}

func TestConfigExampleIsAccepted(t *testing.T) {
	status, stdout, stderr := command(t.TempDir(), "config", "--example")
	if status != 0 || stderr != "" || !strings.Contains(stdout, "#max-conns: 100\n") {
		t.Errorf("status %d, %s, %s", status, stdout, stderr)
	}
}
