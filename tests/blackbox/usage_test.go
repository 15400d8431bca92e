package blackbox

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// flags of the settings table; all of them belong to `node run`, the first three to every command.
var settingFlags = []string{
	"--data-dir", "--config", "--output",
	"--name", "--role", "--listen", "--ws-path", "--peer", "--auth", "--max-conns", "--max-message-size",
	"--ping-interval", "--pong-timeout", "--handshake-timeout", "--write-timeout", "--rate-burst", "--rate-refill",
	"--pace", "--events", "--session", "--session-pq", "--trusted-proxy", "--announce-agent",
	"--dedup-ttl", "--max-clock-skew", "--tls-cert", "--tls-key", "--tls-ca", "--admin", "--log-level", "--log-format",
}

var commands = []string{
	"run", "id", "status", "peers", "connect", "disconnect", "send", "broadcast", "request",
	"ping", "watch", "handle", "allow", "revoke", "auth", "allowlist", "pending", "alias", "forget", "version", "config",
}

func TestHelpKnowsEveryFlag(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	flagsOf := func(cmd string) []string {
		r := command(t, home, "", nil, cmd, "--help")
		r.want(t, 0)
		return strings.FieldsFunc(r.stdout, func(c rune) bool { return strings.ContainsRune(" \t\n,=[]()`'\"", c) })
	}
	for _, cmd := range commands {
		want := settingFlags[:3]
		switch cmd {
		case "run":
			want = slices.Concat(settingFlags, []string{"--stdin"})
		case "send":
			want = slices.Concat(want, []string{"--type"})
		case "broadcast":
			want = slices.Concat(want, []string{"--type", "--role"})
		case "request":
			want = slices.Concat(want, []string{"--timeout"})
		case "watch":
			want = slices.Concat(want, []string{"--type", "--peer", "--events", "--count", "--timeout"})
		case "handle":
			want = slices.Concat(want, []string{"--reply-type", "--concurrency", "--timeout"})
		case "ping":
			want = slices.Concat(want, []string{"--count"})
		case "disconnect":
			want = slices.Concat(want, []string{"--forget", "--for", "--connection"})
		case "forget":
			want = slices.Concat(want, []string{"--unverified", "--older", "--pin"})
		case "peers":
			want = slices.Concat(want, []string{"--connected", "--role", "--sort", "--watch"})
		case "allow":
			want = slices.Concat(want, []string{"--pending"})
		case "id":
			want = slices.Concat(want, []string{"--name", "--role", "--import"})
		case "config":
			want = slices.Concat(settingFlags, []string{"--running", "--example"})
		}
		have := flagsOf(cmd)
		for _, flag := range want {
			if !slices.Contains(have, flag) {
				t.Errorf("node %s --help does not show %s", cmd, flag)
			}
		}
	}
}

func TestCommandsFailWithoutANode(t *testing.T) {
	t.Parallel()
	key := identity(t, "somebody").PublicKey
	calls := [][]string{
		{"status"},
		{"peers"},
		{"connect", "127.0.0.1:1"},
		{"disconnect", "somebody"},
		{"send", "somebody", "x"},
		{"broadcast", "x"},
		{"request", "somebody", "x"},
		{"ping", "somebody"},
		{"watch", "--count", "1"},
		{"handle", "job", "--", "cat"},
		{"allow", key},
		{"revoke", key},
		{"allow", "alias"},
		{"allow", "--pending", "8dffda5f"},
		{"allowlist"},
		{"pending"},
		{"alias", "8dffda5f", "bob"},
		{"auth"},
		{"auth", "open"},
		{"top"},
	}
	killed := start(t)
	killed.Kill() // leaves its control socket behind
	for what, home := range map[string]string{"never started": nodetest.NewHome(t), "killed": killed.Home()} {
		for _, args := range calls {
			r := in(t, home, args...)
			if r.code != 3 {
				t.Errorf("%s: node %q exits %d, want 3 (%s)", what, args, r.code, r.stderr)
				continue
			}
			r.want(t, 3)
			r.says(t, "no running node")
			if r.stdout != "" {
				t.Errorf("%s: node %q prints %q on standard output", what, args, r.stdout)
			}
		}
	}
}

func TestWrongUsageIsReported(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"dance"}, "dance"},
		{[]string{"run", "--no-such-flag"}, "no-such-flag"},
		{[]string{"status", "--no-such-flag"}, "no-such-flag"},
		{[]string{"run", "an argument"}, ""},
		{[]string{"run", "--max-conns", "many"}, "max-conns"},
		{[]string{"run", "--max-conns", "-1"}, "max-conns"},
		{[]string{"run", "--max-message-size", "12parsecs"}, "max-message-size"},
		{[]string{"run", "--ping-interval", "soon"}, "ping-interval"},
		{[]string{"run", "--write-timeout", "-1s"}, "write-timeout"},
		{[]string{"run", "--rate-burst", "-5"}, "rate-burst"},
		{[]string{"run", "--role", "king"}, "role"},
		{[]string{"run", "--auth", "maybe"}, "auth"},
		{[]string{"run", "--output", "xml"}, "output"},
		{[]string{"run", "--log-level", "loud"}, "log-level"},
		{[]string{"run", "--log-format", "xml"}, "log-format"},
		{[]string{"run", "--tls-cert", "cert.pem"}, "tls-key"},
		{[]string{"run", "--tls-key", "key.pem"}, "tls-cert"},
		{[]string{"send"}, ""},
		{[]string{"send", "a", "b", "c"}, ""},
		{[]string{"request"}, ""},
		{[]string{"request", "a", "b", "--timeout", "soon"}, "timeout"},
		{[]string{"ping"}, ""},
		{[]string{"ping", "a", "--count", "0"}, "count"},
		{[]string{"connect"}, ""},
		{[]string{"disconnect"}, ""},
		{[]string{"allow"}, ""},
		{[]string{"revoke"}, ""},
		{[]string{"auth", "open", "allowlist"}, ""},
		{[]string{"completion", "cobol"}, ""},
	} {
		r := in(t, home, tt.args...)
		if r.code != 2 {
			t.Errorf("node %q exits %d, want 2 (%s)", tt.args, r.code, r.stderr)
			continue
		}
		r.want(t, 2)
		r.says(t, tt.says)
	}
}

// TestFailureIsOneLine takes the port before the node can bind it.
func TestFailureIsOneLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := in(t, nodetest.NewHome(t), "run", "--admin", "", "--listen", taken.Addr().String(), "--log-level", "error")
	r.want(t, 1)
	r.says(t, taken.Addr().String())
}

func TestCompletionAndVersionPrint(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	for _, args := range [][]string{
		{"completion", "bash"},
		{"completion", "zsh"},
		{"completion", "fish"},
		{"--version"},
		{"--help"},
	} {
		r := command(t, home, "", nil, args...)
		r.want(t, 0)
		if !strings.Contains(r.stdout, "node") {
			t.Errorf("node %q prints %q", args, nodetest.Head(r.stdout))
		}
	}
}
