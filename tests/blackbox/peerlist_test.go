package blackbox

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestPeersShowConfiguredAddresses: an address without an answer and one with a peer, with all documented keys.
func TestPeersShowConfiguredAddresses(t *testing.T) {
	t.Parallel()
	b := start(t, "--name", "beta", "--role", "worker")
	a := start(t, "--peer", b.Address(), "--peer", "127.0.0.1:1")
	a.Await("peer_up", "peer", b.ID())
	a.Await("dial_failed", "address", "127.0.0.1:1")
	id := strings.TrimSpace(b.ok("send", a.ID(), "hello"))
	a.Await("message", "message.id", id)
	var list []map[string]any
	a.json(&list, "peers")
	if len(list) != 2 {
		t.Fatalf("peers: %+v, want two entries", list)
	}
	keys := []string{
		"id", "name", "alias", "publicKey", "address", "addresses", "role", "connected", "verified", "direction", "rttMs",
		"lastSeen", "addedAt", "persistent", "queued", "allowed", "revoked", "state", "lastError", "nextDialAt", "attempts",
		"session", "version", "pinned", "clockSkewMs", "messagesReceived", "messagesSent", "dropped",
	}
	for _, p := range list {
		if gone := missing(p, keys...); len(gone) > 0 {
			t.Errorf("%v has no %v", p["id"], gone)
		}
	}
	up, down := list[0], list[1]
	if up["id"] != b.ID() || up["state"] != "connected" || mustJSON(t, up["addresses"]) != `["`+b.Address()+`"]` ||
		up["messagesReceived"].(float64) < 2 || up["messagesSent"].(float64) < 1 || up["dropped"] != 0.0 {
		t.Errorf("the connected peer: %v", up)
	}
	if skew := up["clockSkewMs"].(float64); skew > 0 || skew < -5000 {
		t.Errorf("clockSkewMs %v of a peer on the same host", skew)
	}
	if down["id"] != "" || mustJSON(t, down["addresses"]) != `["127.0.0.1:1"]` || down["attempts"].(float64) < 1 ||
		!strings.Contains(down["lastError"].(string), "connection refused") ||
		down["state"] != "waiting" && down["state"] != "dialling" {
		t.Errorf("the address without an answer: %v", down)
	}
	b.ok("revoke", a.Hello.Str("publicKey"))
	a.Await("peer_down", "peer", b.ID())
	var revoked []struct {
		ID, State string
		Revoked   bool
	}
	b.json(&revoked, "peers")
	if len(revoked) != 1 || !revoked[0].Revoked || revoked[0].State != "away" {
		t.Errorf("a revoked peer: %+v", revoked)
	}
}

// TestPeersSelectsAndSorts: the flags of peers, for a node with a connected worker and an address without an answer.
func TestPeersSelectsAndSorts(t *testing.T) {
	t.Parallel()
	b := start(t, "--name", "beta", "--role", "worker")
	a := start(t, "--peer", b.Address(), "--peer", "127.0.0.1:1")
	a.Await("peer_up", "peer", b.ID())
	a.Await("dial_failed", "address", "127.0.0.1:1")
	for args, want := range map[string]string{
		"--connected": b.ID(), "--role worker": b.ID(), "--role controller": "", "--sort name": b.ID() + ",",
		"--sort rtt": b.ID() + ",", "--connected --sort seen": b.ID(),
	} {
		var some []peer
		a.json(&some, append([]string{"peers"}, strings.Fields(args)...)...)
		var ids []string
		for _, p := range some {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, ","); got != want {
			t.Errorf("peers %s: %q, want %q", args, got, want)
		}
	}
	a.run("peers", "--sort", "age").want(t, 2)
	a.run("peers", "--role", "king").want(t, 2)
}

// TestPeersWatchPrintsLists: one array per line until the signal, which ends the command with exit 0.
func TestPeersWatchPrintsLists(t *testing.T) {
	t.Parallel()
	a := start(t)
	binary, err := nodetest.Binary(false)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "peers", "--watch", "--output", "json", "--data-dir", filepath.Join(a.Home(), "data"))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 2 {
		var list []peer
		if !lines.Scan() {
			t.Fatal("no list")
		}
		if err := json.Unmarshal(lines.Bytes(), &list); err != nil || list == nil {
			t.Errorf("%q: %v", lines.Text(), err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGINT: %v, want exit 0", err)
	}
}

// TestVersionsAreAnnounced: a peer's version is that of its status, unless it does not announce it.
func TestVersionsAreAnnounced(t *testing.T) {
	t.Parallel()
	hub := start(t)
	open := start(t, "--name", "open", "--peer", hub.Address())
	silent := start(t, "--name", "silent", "--peer", hub.Address(), "--announce-agent=false")
	hub.Await("peer_verified", "peer", open.ID())
	hub.Await("peer_verified", "peer", silent.ID())
	var status struct{ Version string }
	hub.json(&status, "status")
	var build struct{ Version, Revision, GoVersion string }
	hub.json(&build, "version")
	if status.Version == "" || status.Version != build.Version || build.Revision == "" || build.GoVersion == "" {
		t.Errorf("status has the version %q, the binary %+v", status.Version, build)
	}
	for n, want := range map[*node]string{open: `"version":"` + status.Version + `"`, silent: ""} {
		if up := hub.Await("peer_up", "peer", n.ID()); !strings.Contains(up.Line, want) || want == "" &&
			strings.Contains(up.Line, `"version"`) {
			t.Errorf("%s, want %q in it", up.Line, want)
		}
	}
	var list []struct{ ID, Name, Version, Agent string }
	hub.json(&list, "peers")
	for _, p := range list {
		version, agent := "", ""
		if p.ID == open.ID() {
			version, agent = status.Version, "go-p2p "+status.Version
		}
		if p.Version != version || p.Agent != agent {
			t.Errorf("peers lists %+v, want version %q", p, version)
		}
	}
}
