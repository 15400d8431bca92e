package blackbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// sessionView is the part of `node peers` about sessions.
type sessionView struct {
	ID          string
	Session     string
	Pinned      bool
	Connected   bool
	Connections []struct{ Session string }
}

func (n *node) sessionWith(id string) (found sessionView) {
	n.t.Helper()
	var list []sessionView
	n.json(&list, "peers")
	for _, p := range list {
		if p.ID == id {
			found = p
		}
	}
	return found
}

// TestEachPairOfModesConnectsAsStated runs two nodes in each mode and lets each of the first four dial each of the
// others: 16 pairs, with the exit code, the error line, the event and the listing of both sides.
func TestEachPairOfModesConnectsAsStated(t *testing.T) {
	t.Parallel()
	modes := []string{"off", "prefer", "pin", "require"}
	var diallers, listeners []*node
	for _, mode := range modes {
		diallers = append(diallers, start(t, "--session", mode, "--name", "dialler-"+mode))
		listeners = append(listeners, startWith(t, nodetest.ProcessOptions{Race: true, Env: []string{"NODE_SESSION=" + mode}},
			"--name", "listener-"+mode))
	}
	for i, a := range diallers {
		for j, b := range listeners {
			checkPair(t, a, b, modes[i], modes[j])
		}
	}
}

func checkPair(t *testing.T, a, b *node, from, to string) {
	t.Helper()
	marks := [2]int{a.Mark(), b.Mark()}
	r := a.run("connect", b.Address())
	refusedHere := from == "require" && to == "off"
	refusedThere := from == "off" && to == "require"
	if refusedHere || refusedThere {
		cause, remedy := `"session required"`, "switch on this node's sessions (--session pin), or upgrade it"
		if refusedHere {
			cause = "the peer offers no session/1, and this node requires it"
			remedy = "switch on its sessions (--session pin there), upgrade it, or allow SMSG with --session pin here"
		}
		if r.code != 4 || countLines(r.stderr) != 1 || !strings.Contains(r.stderr, cause) ||
			!strings.Contains(r.stderr, remedy) {
			t.Errorf("%s dials %s: exit %d, %s; want 4, %s, %s", from, to, r.code, r.stderr, cause, remedy)
		}
		if a.sessionWith(b.ID()).ID != "" || b.sessionWith(a.ID()).ID != "" {
			t.Errorf("%s dials %s: a node knows the other", from, to)
		}
		return
	}
	want := "smsg"
	if from != "off" && to != "off" {
		want = "session/1"
	}
	if r.code != 0 {
		t.Fatalf("%s dials %s: exit %d, %s", from, to, r.code, r.stderr)
	}
	b.Await("message", "message.id", a.ok("send", b.ID(), "there"))
	a.Await("message", "message.id", b.ok("send", a.ID(), "back"))
	for i, side := range []struct {
		node, peer *node
		mode       string
	}{{a, b, from}, {b, a, to}} {
		pinned := want == "session/1" && (side.mode == "pin" || side.mode == "require")
		got := side.node.sessionWith(side.peer.ID())
		if got.Session != want || got.Pinned != pinned || len(got.Connections) != 1 || got.Connections[0].Session != want {
			t.Errorf("%s dials %s: %s lists %+v, want %s, pinned %v", from, to, side.mode, got, want, pinned)
		}
		up := side.node.AwaitAfter(marks[i], "peer_up", "peer", side.peer.ID())
		if up.Str("session") != want {
			t.Errorf("%s dials %s: %s", from, to, up.Line)
		}
	}
	a.ok("disconnect", b.ID())
	a.AwaitAfter(marks[0], "peer_down", "peer", b.ID())
	b.AwaitAfter(marks[1], "peer_down", "peer", a.ID())
}

// TestPinSurvivesARestartAndIsForgotten: the pin is set by the first session, stored, kept while the peer has its
// sessions off, and removed by the operator. The mode comes from the settings file and changes by a reload.
func TestPinSurvivesARestartAndIsForgotten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "node.yaml")
	configure := func(mode string) {
		if err := os.WriteFile(file, []byte("session: "+mode+"\nsession-pq: true\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("pin")
	peerHome := nodetest.NewHome(t)
	b := startIn(t, peerHome)
	a := start(t, "--config", file, "--peer", b.Address())
	meet(b, a)
	if got := a.sessionWith(b.ID()); got.Session != "session/1" || !got.Pinned {
		t.Fatalf("at first: %+v", got)
	}
	a.Stop()
	b.Stop()
	b = startIn(t, peerHome, "--session", "off", "--listen", b.Address())
	a = startIn(t, a.Home(), "--config", file, "--peer", b.Address())
	meet(b, a)
	if got := a.sessionWith(b.ID()); got.Session != "smsg" || !got.Pinned {
		t.Errorf("with the peer's sessions off, after a restart: %+v", got)
	}
	if out := a.ok("forget", "--pin", b.ID(), "--output", "json"); out != `{"unpinned":["`+b.ID()+`"]}` {
		t.Errorf("forget --pin prints %s", out)
	}
	if got := a.sessionWith(b.ID()); got.Pinned || !got.Connected {
		t.Errorf("after forget --pin: %+v", got)
	}
	configure("require")
	if out := a.ok("reload"); !strings.Contains(out, "changed: session") {
		t.Errorf("reload prints %s", out)
	}
	if down := a.Await("peer_down", "peer", b.ID()); down.Str("reason") != "session required" {
		t.Errorf("after the reload: %s", down.Line)
	}
	failed := a.Await("dial_failed", "address", b.Address())
	if !strings.Contains(failed.Str("error"), "offers no session/1") {
		t.Errorf("then: %s", failed.Line)
	}
	var status struct{ Session string }
	if a.json(&status, "status"); status.Session != "require" {
		t.Errorf("status shows the mode %q", status.Session)
	}
	if out := a.ok("forget", b.ID()); out != "forgotten "+b.ID() || a.sessionWith(b.ID()).Pinned {
		t.Errorf("forget prints %s", out)
	}
}
