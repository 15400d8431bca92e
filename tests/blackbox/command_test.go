package blackbox

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// result is what a command that ended left behind.
type result struct {
	args           []string
	stdout, stderr string
	code           int
}

// command runs `node ARGS` to its end, in a home, with what it reads from standard input.
func command(t *testing.T, home, stdin string, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	binary := commandBinary
	if args[0] == "run" {
		binary = nodeBinary
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = environment(home, env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("node %q: %v, %v\nstandard error:\n%s", args, err, ctx.Err(), tail(stderr.String()))
	}
	r := result{args: args, stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	if crash.MatchString(r.stderr) {
		t.Errorf("node %q crashed or raced:\n%s", args, tail(r.stderr))
	}
	return r
}

// in runs a command with the data directory of a home, in which no node need run.
func in(t *testing.T, home string, args ...string) result {
	t.Helper()
	return command(t, home, "", nil, append(slices.Clone(args), "--data-dir", filepath.Join(home, "data"))...)
}

// run runs a command against the running node.
func (n *node) run(args ...string) result {
	n.t.Helper()
	return in(n.t, n.home, args...)
}

// runWith is run with standard input.
func (n *node) runWith(stdin string, args ...string) result {
	n.t.Helper()
	return command(n.t, n.home, stdin, nil, append(slices.Clone(args), "--data-dir", n.data)...)
}

// ok runs a command that must exit 0 and returns its standard output without the white space around it.
func (n *node) ok(args ...string) string {
	n.t.Helper()
	r := n.run(args...)
	r.want(n.t, 0)
	return strings.TrimSpace(r.stdout)
}

// json runs a command with --output json that must exit 0, and decodes what it prints.
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
		t.Fatalf("node %q printed no single JSON value: %v\n%s", r.args, err, head(r.stdout))
	}
}

// created is the line about the first use of a data directory, the only one of a command that succeeds.
var created = regexp.MustCompile(`(?m)^node: created a new identity in \S+$`)

// want requires an exit code; a failure must have said why, in exactly one line, and a success nothing but created.
func (r result) want(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("node %q: exit code %d, want %d\nstandard output: %s\nstandard error: %s",
			r.args, r.code, code, head(r.stdout), tail(r.stderr))
	}
	lines := 0
	if code != 0 {
		lines = 1
	}
	if got := countLines(created.ReplaceAllString(r.stderr, "")); got != lines {
		t.Errorf("node %q: exit code %d with %d lines on standard error, want %d:\n%s", r.args, r.code, got, lines, tail(r.stderr))
	}
}

// says requires that standard error holds a text, in any case.
func (r result) says(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(text)) {
		t.Errorf("node %q: standard error does not say %q:\n%s", r.args, text, tail(r.stderr))
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

// status is `node status --output json`, as far as tests look into it.
type status struct {
	Identity    map[string]any     `json:"identity"`
	Address     string             `json:"address"`
	Auth        string             `json:"auth"`
	Uptime      float64            `json:"uptime"`
	Connections connections        `json:"connections"`
	Counters    map[string]float64 `json:"counters"`
}

type connections struct{ Established, Pending, Max int }

func (n *node) status() status {
	n.t.Helper()
	var s status
	n.json(&s, "status")
	return s
}

// awaitStatus asks for the status until it satisfies a condition. Each question is a process of its own, so that
// asking again at once is no busy loop.
func (n *node) awaitStatus(what string, ok func(status) bool) status {
	n.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		s := n.status()
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			n.fatalf("status never showed %s; it shows %+v", what, s)
		}
	}
}

// awaitCounter waits until a counter has reached a value, and fails when it has passed it.
func (n *node) awaitCounter(name string, value float64) status {
	n.t.Helper()
	s := n.awaitStatus(name, func(s status) bool { return s.Counters[name] >= value })
	if got := s.Counters[name]; got != value {
		n.fatalf("%s is %v, want exactly %v", name, got, value)
	}
	return s
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

// peerByID is the entry of one peer, nil when it is not known.
func (n *node) peerByID(id string) *peer {
	n.t.Helper()
	for _, p := range n.peers() {
		if p.ID == id {
			return &p
		}
	}
	return nil
}

// mustJSON is v as JSON text.
func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
