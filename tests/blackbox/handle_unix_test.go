//go:build unix

package blackbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// handling starts `node handle` and returns once it answers requests of another node.
func handling(t *testing.T, n, asker *node, kind string, args ...string) *nodetest.Background {
	t.Helper()
	h := background(t, n.Home(), append([]string{"handle", kind}, args...)...)
	for deadline := time.Now().Add(patience); ; {
		r := asker.run("request", n.ID(), `"warm up"`, "--type", kind, "--timeout", "500ms")
		if r.code != 5 && !strings.Contains(r.stderr, "error 1003") {
			return h
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not answer: %q", r.stderr)
		}
	}
}

func TestHandleAnswersWithTheOutput(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	script := `cat; printf ' %s %s %s' "$NODE_MESSAGE_FROM" "$NODE_PEER" "${#NODE_MESSAGE_ID}"`
	handling(t, a, b, "echo", "--", "sh", "-c", script)
	var answer refpeer.Envelope
	b.json(&answer, "request", a.ID(), `{"n": 1}`, "--type", "echo")
	want := strconv.Quote(`{"n":1} ` + b.ID() + " " + b.ID() + " 36")
	if answer.Type != "echo_reply" || answer.From != a.ID() || mustText(t, answer.Payload) != mustText(t, []byte(want)) {
		t.Errorf("answer %+v, want %s", answer, want)
	}

	handling(t, a, b, "get_stats", "--reply-type", "stats", "--", "sh", "-c", `echo '{"hash": 7}'`)
	b.json(&answer, "request", a.ID(), "null", "--type", "get_stats")
	if answer.Type != "stats" || string(answer.Payload) != `{"hash":7}` {
		t.Errorf("answer %+v", answer)
	}
}

func mustText(t *testing.T, raw []byte) (text string) {
	t.Helper()
	if err := json.Unmarshal(raw, &text); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return text
}

// TestHandleReportsFailures as replies of type error, which `node request` prints with exit code 1.
func TestHandleReportsFailures(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	handling(t, a, b, "job", "--", "sh", "-c", `
		case $(cat) in
		'"fail"') echo "the first line" >&2; echo "no such miner" >&2; exit 3;;
		'"bytes"') printf '\377';;
		esac`)
	handling(t, a, b, "hang", "--timeout", "100ms", "--", "sleep", "1000")
	for _, c := range [][3]string{
		{"job", "fail", `the peer answers with error 1004 (operation failed): "exit status 3: no such miner"`},
		{"hang", "x", `the peer answers with error 1005 (timeout): "the command did not end within 100ms"`},
		{"job", "bytes", `the peer answers with error 1004 (operation failed): ` +
			`"the payload is not UTF-8: encode it, for example as base64"`},
	} {
		r := b.run("request", a.ID(), c[1], "--type", c[0])
		if r.want(t, 1); r.stdout != "" || r.stderr != "node: request to "+a.ID()+": "+c[2]+"\n" {
			t.Errorf("%q: %q, %q", c[:2], r.stdout, r.stderr)
		}
	}
	if text := b.ok("request", a.ID(), "fine", "--type", "job"); text != "null" {
		t.Errorf("no output is the payload %s", text)
	}
}

func TestSecondHandlerIsRefused(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	first := handling(t, a, b, "job", "--", "echo", "first")
	r := a.run("handle", "job", "--", "echo", "second")
	if r.want(t, 1); r.stderr != "node: handle job: the message type has a handler already: "+
		"end the other `node handle`, or handle another type\n" {
		t.Errorf("second handler: %q", r.stderr)
	}
	first.Signal(syscall.SIGTERM)
	if r := first.Wait(); r.Code != 0 || r.Stdout+r.Stderr != "" {
		t.Errorf("interrupted: exit code %d, %q, %q", r.Code, r.Stdout, r.Stderr)
	}
	handling(t, a, b, "job", "--", "echo", "third")
	if text := b.ok("request", a.ID(), "x", "--type", "job"); text != `"third"` {
		t.Errorf("answer %s", text)
	}
}

// TestHandleRunsCommandsConcurrently: each command waits until both run.
func TestHandleRunsCommandsConcurrently(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	dir := nodetest.NewHome(t)
	handling(t, a, b, "meet", "--concurrency", "2", "--", "sh", "-c",
		`read -r me; [ "$me" = '"warm up"' ] && exit; me=${me%?}; me=${me#?}
		touch "`+dir+`/$me"; until [ -e "`+dir+`/one" ] && [ -e "`+dir+`/two" ]; do sleep 0.01; done`)
	done := make(chan result, 2)
	for _, name := range []string{"one", "two"} {
		go func() { done <- b.run("request", a.ID(), name, "--type", "meet", "--timeout", "20s") }()
	}
	for range 2 {
		r := <-done
		r.want(t, 0)
	}
}

// TestHandleKillsItsChildren at its end, and ends when the node stops.
func TestHandleKillsItsChildren(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	file := filepath.Join(nodetest.NewHome(t), "pid")
	script := `[ "$(cat)" = '"warm up"' ] && exit; sleep 1000 & echo $! > "` + file + `.new"; mv "` + file + `.new" "` +
		file + `"; wait`
	for _, c := range []struct {
		end    func(*nodetest.Background)
		code   int
		stderr string
	}{
		{func(h *nodetest.Background) { h.Signal(syscall.SIGTERM) }, 0, ""},
		{func(*nodetest.Background) { a.Stop() }, 1, "node: handle job: the node has stopped\n"},
	} {
		h := handling(t, a, b, "job", "--", "sh", "-c", script)
		b.ok("send", a.ID(), "go", "--type", "job")
		pid := awaitNumber(t, file)
		c.end(h)
		if r := h.Wait(); r.Code != c.code || r.Stderr != c.stderr {
			t.Errorf("exit code %d, %q; want %d, %q", r.Code, r.Stderr, c.code, c.stderr)
		}
		awaitDeath(t, pid)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitNumber polls for a number in a file, which no event announces.
func awaitNumber(t *testing.T, file string) int {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil {
			n, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if time.Now().After(deadline) {
			t.Fatal("the command does not run")
		}
	}
}

// awaitDeath polls for the end of a process that is no child of the test.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	dead := regexp.MustCompile(`\) [ZX] `) // in a container the dead may have no parent that asks for them
	for deadline := time.Now().Add(patience); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err == nil && dead.Match(stat) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives", pid)
		}
	}
}

func TestHandleRefusesWrongUsage(t *testing.T) {
	t.Parallel()
	a := start(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "TYPE is missing"},
		{[]string{"--", "cat"}, "TYPE is missing"},
		{[]string{"job"}, "COMMAND is missing: write it after --"},
		{[]string{"job", "--"}, "COMMAND is missing"},
		{[]string{"job", "cat"}, "write -- between TYPE and COMMAND"},
		{[]string{"job", "other", "--", "cat"}, "write -- between TYPE and COMMAND"},
		{[]string{"job", "--", "/no/such/command"}, "COMMAND /no/such/command cannot run"},
		{[]string{"ping", "--", "cat"}, "type ping"},
		{[]string{"job", "--concurrency", "0", "--", "cat"}, "--concurrency"},
		{[]string{"job", "--timeout", "0", "--", "cat"}, "--timeout"},
	} {
		r := a.run(append([]string{"handle"}, c.args...)...)
		r.want(t, 2)
		r.says(t, c.says)
	}
}
