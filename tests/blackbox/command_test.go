package blackbox

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// result is the output and the exit code of a command that has ended.
type result struct {
	args           []string
	stdout, stderr string
	code           int
}

// command runs `node ARGS` to its end in a home, with this standard input. Only `node run` has the race detector:
// without it the short commands start ten times faster.
func command(t *testing.T, home, stdin string, env []string, args ...string) result {
	t.Helper()
	o := nodetest.ProcessOptions{Home: home, Race: args[0] == "run", Env: env, Stdin: stdin}
	r := nodetest.RunCommand(t, o, args...)
	return result{args: r.Args, stdout: r.Stdout, stderr: r.Stderr, code: r.Code}
}

// in runs a command with the data directory of a home. No node has to run there.
func in(t *testing.T, home string, args ...string) result {
	t.Helper()
	return command(t, home, "", nil, withData(home, args)...)
}

// background starts a command that does not end by itself, with the data directory of a home.
func background(t *testing.T, home string, args ...string) *nodetest.Background {
	t.Helper()
	return nodetest.StartCommand(t, nodetest.ProcessOptions{Home: home, Race: true}, withData(home, args)...)
}

// withData adds the data directory of a home to the flags of a command.
func withData(home string, args []string) []string {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	return slices.Concat(args[:end], []string{"--data-dir", filepath.Join(home, "data")}, args[end:])
}

// awaitNode waits until the node of a home answers commands, for one that announces nothing.
func awaitNode(t *testing.T, home string) {
	t.Helper()
	for deadline := time.Now().Add(patience); in(t, home, "status").code != 0; {
		if time.Now().After(deadline) {
			t.Fatal("no node answers")
		}
	}
}

// run runs a command against the running node.
func (n *node) run(args ...string) result {
	n.t.Helper()
	return in(n.t, n.Home(), args...)
}

// runWith is run with standard input.
func (n *node) runWith(stdin string, args ...string) result {
	n.t.Helper()
	return command(n.t, n.Home(), stdin, nil, append(slices.Clone(args), "--data-dir", n.Data())...)
}

// ok runs a command that must exit 0 and returns its standard output without the white space around it.
func (n *node) ok(args ...string) string {
	n.t.Helper()
	r := n.run(args...)
	r.want(n.t, 0)
	return strings.TrimSpace(r.stdout)
}

// json runs a command with --output json that must exit 0, and decodes its output.
func (n *node) json(into any, args ...string) {
	n.t.Helper()
	r := n.run(append(slices.Clone(args), "--output", "json")...)
	r.want(n.t, 0)
	r.decode(n.t, into)
}

// decode reads standard output as one JSON value.
func (r result) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		t.Fatalf("node %q printed no single JSON value: %v\n%s", r.args, err, nodetest.Head(r.stdout))
	}
}

// created is the line about the first use of a data directory, the only one of a command that succeeds.
var created = regexp.MustCompile(`(?m)^node: created a new identity in \S+$`)

// want requires an exit code. Standard error must be one line after a failure, and empty, created aside, after success.
func (r result) want(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("node %q: exit code %d, want %d\nstandard output: %s\nstandard error: %s",
			r.args, r.code, code, nodetest.Head(r.stdout), nodetest.Tail(r.stderr))
	}
	lines := 0
	if code != 0 {
		lines = 1
	}
	if got := countLines(created.ReplaceAllString(r.stderr, "")); got != lines {
		t.Errorf("node %q: exit code %d with %d lines on standard error, want %d:\n%s",
			r.args, r.code, got, lines, nodetest.Tail(r.stderr))
	}
}

// says requires that standard error holds a text, in any case.
func (r result) says(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(text)) {
		t.Errorf("node %q: standard error does not say %q:\n%s", r.args, text, nodetest.Tail(r.stderr))
	}
}

// countLines counts the lines that are not empty.
func countLines(s string) int {
	n := 0
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}

// peer is one element of `node peers --output json`.
type peer struct {
	ID, Name, PublicKey, Address, Role, Direction string
	Connected, Verified, Persistent, Allowed      bool
	Queued                                        int
}

func (n *node) peers() []peer {
	n.t.Helper()
	var list []peer
	n.json(&list, "peers")
	return list
}

// peerByID returns the entry of one peer, nil if it is not known.
func (n *node) peerByID(id string) *peer {
	n.t.Helper()
	for _, p := range n.peers() {
		if p.ID == id {
			return &p
		}
	}
	return nil
}

// mustJSON returns v as JSON text.
func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
