package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/crypto"
)

// command runs one command line against dir and returns its output.
func command(dir string, args ...string) (status int, stdout, stderr string) {
	return commandIn(dir, "", nil, args...)
}

func commandIn(dir, stdin string, environ []string, args ...string) (status int, stdout, stderr string) {
	var out, complaints bytes.Buffer
	a := &app{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &complaints, environ: environ, now: time.Now,
		signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
		dataDir: dir, hostName: "host",
	}
	status = a.run(args)
	return status, out.String(), complaints.String()
}

func TestInvalidCommandLinesExitWithUsage(t *testing.T) {
	dir := t.TempDir()
	for line, want := range map[string]string{
		"sned":                    "unknown command sned, did you mean `send`?: see `node --help`",
		"topp":                    "unknown command topp, did you mean `top`?",
		"top x":                   "node top takes no arguments",
		"top --interval 0":        "must be a duration above 0",
		"--nope":                  "unknown flag: --nope",
		"status x":                "node status takes no arguments, but got x",
		"run x":                   "node run takes no arguments",
		"send":                    "PEER is missing",
		"send a b c":              "c is one argument too many",
		"connect":                 "ADDR is missing",
		"connect nonsense":        "ADDR nonsense: must be host:port, ws://… or wss://…",
		"disconnect":              "PEER is missing",
		"request a b --timeout 0": "must be a duration above 0",
		"ping a --count 0":        "must be a whole number from 1 to 1000000000",
		"ping a --count x":        "must be a whole number from 1 to 1000000000",
		"allow":                   "KEY is missing",
		"allow --pending":         "ID is missing",
		"alias bob":               "NAME is missing",
		"alias bob 8dffda5ff32ade93902da91128a56961": "it has the form of a node ID",
		"auth maybe":                  "MODE maybe: must be open or allowlist",
		"status --output xml":         "--output xml: must be text or json",
		"run --rate-burst -1":         "--rate-burst -1: must be a number from 1",
		"run --tls-cert x":            "give both or neither",
		"run --config /not/there":     "the settings file cannot be read",
		"demo x":                      "node demo takes no arguments",
		"demo --output xml":           "--output xml: must be text or json",
		"demo --kepe":                 "unknown flag: --kepe",
		"id x":                        "node id takes no arguments",
		"peers x":                     "node peers takes no arguments",
		"config x":                    "node config takes no arguments",
		"broadcast a b":               "b is one argument too many",
		"disconnect a b":              "b is one argument too many",
		"ping":                        "PEER is missing",
		"request":                     "PEER is missing",
		"completion":                  "SHELL is missing",
		"help completion bash":        "bash is one argument too many",
		"help nope":                   "unknown command nope",
		"forget":                      "PEER is missing",
		"forget --pin":                "PEER is missing",
		"forget --pin --unverified":   "--pin needs a PEER",
		"forget bob --older 1h":       "PEER excludes --unverified and --older",
		"forget --older 0s":           "must be a duration above 0",
		"man":                         "DIR is missing",
		"reload x":                    "node reload takes no arguments",
		"bench x":                     "ADDR x: must be host:port, ws://… or wss://…",
		"bench a:1 b:1":               "b:1 is one argument too many",
		"bench 192.0.2.1:9091":        "ADDR 192.0.2.1:9091 is not on this host",
		"bench --size 1":              `must be a size from 64 to 64MiB`,
		"bench --rate -1":             "must be a number from 0",
		"bench --connections 0":       "must be a whole number from 1 to 1000",
		"bench --duration 0":          "must be a duration above 0",
		"bench 127.0.0.1:1 --limited": "--limited applies to a pair in this process",
		"completion ksh":              `SHELL "ksh": must be bash, zsh, fish or powershell`,
		"help nothing":                "unknown command nothing",
		"id --role king":              "--role king: must be controller, worker or dual",
		"config --listen nonsense":    "--listen nonsense: must be host:port",
	} {
		status, stdout, stderr := command(dir, strings.Fields(line)...)
		if status != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 ||
			!strings.Contains(stderr, want) || !strings.HasPrefix(stderr, "node: ") {
			t.Errorf("node %s: status %d, %q, %q, want %q", line, status, stdout, stderr, want)
		}
	}
}

func TestClientCommandsNeedANode(t *testing.T) {
	dir := t.TempDir()
	key := "xgIcSXQ0VEqDqmeVSVsNswK46Eb+AU6kZZmnrLZYnTA="
	for _, line := range []string{
		"status", "peers", "connect a:1", "disconnect a", "send a b", "broadcast b", "request a b", "ping a", "allow " + key,
		"revoke " + key, "auth", "auth open", "reload",
		"top", "top --output json",
	} {
		status, stdout, stderr := command(dir, strings.Fields(line)...)
		want := fmt.Sprintf("node: %v in %s: start one with `node run --data-dir %s`\n", control.ErrNoNode, dir, dir)
		if status != exitNoNode || stdout != "" || stderr != want {
			t.Errorf("node %s: status %d, %q, %q", line, status, stdout, stderr)
		}
	}
}

func TestExitStatusFollowsTheError(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{&usageError{"x"}, 2},
		{control.ErrNoNode, 3},
		{&control.Error{Code: control.CodeUsage}, 2},
		{&control.Error{Code: control.CodeAmbiguous}, 2},
		{&control.Error{Code: control.CodeUnknownPeer}, 4},
		{&control.Error{Code: control.CodeNotConnected}, 4},
		{&control.Error{Code: control.CodeRefused}, 4},
		{&control.Error{Code: control.CodeTimeout}, 5},
		{&control.Error{Code: control.CodeTooLarge}, 1},
		{&control.Error{Code: control.CodeQueueFull}, 1},
		{&control.Error{Code: control.CodeFailed}, 1},
	} {
		if got := exitStatus(explain(c.err, "/d", "send")); got != c.want {
			t.Errorf("%v: status %d, want %d", c.err, got, c.want)
		}
	}
}

func TestIDCreatesTheIdentityOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	status, first, stderr := command(dir, "id", "--name", "alice", "--role", "worker", "--output", "json")
	var identity crypto.NodeIdentity
	if err := json.Unmarshal([]byte(first), &identity); err != nil || status != 0 {
		t.Fatalf("status %d, %q, %q", status, first, stderr)
	}
	if identity.Name != "alice" || identity.Role != crypto.RoleWorker || len(identity.ID) != 32 {
		t.Errorf("identity %+v", identity)
	}
	if _, second, _ := command(dir, "id", "--name", "bob", "--output", "json"); second != first {
		t.Errorf("%s became %s", first, second)
	}
	if _, text, _ := command(dir, "id"); !strings.Contains(text, "public key  "+identity.PublicKey+"\n") {
		t.Errorf("text is %s", text)
	}
}

func TestConfigCreatesNoFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	status, stdout, _ := commandIn(dir, "", []string{"NODE_OUTPUT=json"}, "config", "--max-conns", "7")
	var c configuration
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || status != 0 || len(c.Settings) == 0 {
		t.Fatalf("status %d, %v: %s", status, err, stdout)
	}
	for _, v := range c.Settings {
		if v.Name == "max-conns" && (v.Value != "7" || v.Source != "flag") {
			t.Errorf("max-conns is %+v", v)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the data directory was made")
	}
}

func TestHelpAndCompletionSucceed(t *testing.T) {
	dir := t.TempDir()
	for _, line := range []string{
		"", "--help", "help send", "send --help", "--version",
		"completion bash", "completion zsh", "completion fish", "completion powershell",
	} {
		if status, stdout, stderr := command(dir, strings.Fields(line)...); status != 0 || stdout == "" || stderr != "" {
			t.Errorf("node %s: status %d, %d bytes, %q", line, status, len(stdout), stderr)
		}
	}
}

func TestVersionNamesCommitAndDate(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"},
		{Key: "vcs.time", Value: "2025-01-02T03:04:05Z"},
		{Key: "vcs.modified", Value: "true"},
	}}
	const want = "v1.2.3 (commit abc, with changes, 2025-01-02T03:04:05Z, go1.26)"
	if got := newBuild(info, "", "", "").String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPingResultAverages(t *testing.T) {
	var r pingResult
	for _, ms := range []float64{3, 1, 5} {
		r.add(ms)
	}
	if r.Received != 3 || r.MinMs != 1 || r.AvgMs != 3 || r.MaxMs != 5 {
		t.Errorf("got %+v", r)
	}
}

// failingWriter accepts left writes and fails afterwards.
type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// The error of an unusable data directory names --data-dir.
func TestUnusableDataDirNamesTheFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"id", "config", "run --listen="} {
		status, _, stderr := command(filepath.Join(file, "sub"), strings.Fields(line)...)
		if status != exitFailed || !strings.Contains(stderr, "with --data-dir") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("node %s: status %d, %q", line, status, stderr)
		}
	}
}

func TestCompletionOffersValuesOfSettings(t *testing.T) {
	dir := t.TempDir()
	for line, want := range map[string]string{
		"run --session ":          "off prefer pin require",
		"config --session ":       "off prefer pin require",
		"run --session-pq=":       "true false",
		"run --pace ":             "on off",
		"run --events ":           "all no-payloads none",
		"run --auth ":             "open allowlist",
		"run --log-level ":        "debug info warn error",
		"id --role ":              "controller worker dual",
		"status --output ":        "text json",
		"run --log-format ":       "text json",
		"peers --output ":         "text json",
		"run --max-conns ":        "",
		"run --metrics-per-peer=": "true false",
		"status --member ":        "", // without a running node
	} {
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		status, stdout, _ := command(dir, args...)
		offers, _, _ := strings.Cut(stdout, ":")
		if got := strings.Join(strings.Fields(offers), " "); status != 0 || got != want {
			t.Errorf("node %s: status %d, offers %q, want %q", line, status, got, want)
		}
	}
}

// The shell is offered the name of each member with its state, but no name that it may read as anything but a word.
func TestMemberOffersDescribeState(t *testing.T) {
	t.Parallel()
	members := []output.Member{{Name: "a", State: "alive"}, {Name: "-b", State: "lost"}, {Name: "c-1", State: "lost"}}
	offers := memberOffers(members)
	if want := []string{"a\talive", "c-1\tlost"}; !slices.Equal(offers, want) {
		t.Errorf("offers %q, want %q", offers, want)
	}
}
