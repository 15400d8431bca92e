//go:build unix

package examples

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m)) }

// client is one of the programs in clients, at the control socket of a node.
type client struct {
	t       *testing.T
	program []string
	socket  string
}

// clientOf returns a client in a language, or skips the test if the language is not installed: the interpreter must
// print 1 for args.
func clientOf(t *testing.T, name, interpreter string, args ...string) *client {
	t.Helper()
	if out, err := exec.Command(interpreter, args...).Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Skipf("%s is not installed: %v, %q", interpreter, err, out)
	}
	return &client{t: t, program: []string{interpreter, "clients/" + name}}
}

func (c *client) at(n *nodetest.Process) *client {
	return &client{t: c.t, program: c.program, socket: n.Hello.Str("control")}
}

func (c *client) command(args ...string) *exec.Cmd {
	line := append(append(c.program[1:len(c.program):len(c.program)], c.socket), args...)
	cmd := exec.Command(c.program[0], line...)
	cmd.Stderr = os.Stderr
	return cmd
}

// run returns the output of a client that ends with 0.
func (c *client) run(args ...string) string {
	c.t.Helper()
	out, err := c.command(args...).Output()
	if err != nil {
		c.t.Fatalf("%q: %v, %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// fails requires an exit status other than 0, and returns the output with the error.
func (c *client) fails(args ...string) string {
	c.t.Helper()
	cmd := c.command(args...)
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		c.t.Fatalf("%q: %v, %s; want a failure", args, err, out)
	}
	return string(out)
}

// open starts a client that reads a stream, and returns once the stream is open, which the client prints as line.
func (c *client) open(line string, args ...string) (*exec.Cmd, *bufio.Reader) {
	c.t.Helper()
	cmd := c.command(args...)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	lines := bufio.NewReader(stdout)
	wantLine(c.t, lines, line)
	return cmd, lines
}

// ended requires that a client ends by itself with 0 behind the event stopped.
func ended(t *testing.T, cmd *exec.Cmd, lines io.Reader) {
	t.Helper()
	rest, err := io.ReadAll(lines)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil || !strings.Contains(string(rest), `"stopped"`) {
		t.Errorf("the client ended with %v and printed %s", err, rest)
	}
}

// couple starts two nodes: alice dials bob.
func couple(t *testing.T) (alice, bob *nodetest.Process) {
	t.Helper()
	bob = nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--name", "bob")
	alice = nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--name", "alice", "--peer", bob.Address())
	alice.Await("peer_up", "peer", bob.ID())
	bob.Await("peer_up", "peer", alice.ID())
	return alice, bob
}

// useMessages sends in both directions and returns the open stream of alice.
func useMessages(t *testing.T, c *client, alice, bob *nodetest.Process, first string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	if out := c.at(alice).run("peers"); !strings.Contains(out, bob.ID()) || !strings.Contains(out, "connected") {
		t.Errorf("peers: %s", out)
	}
	if out := c.at(alice).fails("send", "stranger", "chat", "1"); !strings.Contains(out, "unknown_peer") {
		t.Errorf("an unknown peer: %s", out)
	}
	watch, lines := c.at(alice).open(first, "watch", "chat")
	id := c.at(bob).run("send", "alice", "chat", `{"text":"\u00fc \" \\ 1"}`)
	alice.Await("message")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("watch: %v", err)
		}
		line = strings.TrimPrefix(line, "data: ")
		var event struct {
			Peer    string
			Message struct {
				ID      string
				Payload struct{ Text string }
			}
		}
		if json.Unmarshal([]byte(line), &event) != nil {
			continue // another line of the stream
		}
		if m := event.Message; event.Peer != bob.ID() || !strings.Contains(id, m.ID) || m.Payload.Text != `ü " \ 1` {
			t.Errorf("watched %s, sent %s", line, id)
		}
		return watch, lines
	}
}

func TestClientsAnswerRequests(t *testing.T) {
	for name, found := range map[string][]string{
		"client.py":  {"python3", "-c", "print(1)"},
		"client.mjs": {"node", "-p", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clientOf(t, name, found[0], found[1:]...)
			alice, bob := couple(t)
			watch, lines := useMessages(t, c, alice, bob, "open\n")
			c.at(bob).open("open\n", "answer", "sum")
			if out := c.at(alice).run("request", "bob", "sum", "[1, 2, 3.5]"); out != "6.5" {
				t.Errorf("the answer is %s", out)
			}
			if out := c.at(alice).fails("request", "bob", "sum", `"x"`); !strings.Contains(out, "remote: ") ||
				!strings.Contains(out, "1004") {
				t.Errorf("a failed operation: %s", out)
			}
			if out := c.at(bob).fails("answer", "sum"); !strings.Contains(out, "conflict: ") {
				t.Errorf("a second handler: %s", out)
			}
			alice.Stop()
			ended(t, watch, lines)
		})
	}
}

func TestShellClientUsesCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	c := clientOf(t, "client.sh", "sh", "-c", "echo 1")
	alice, bob := couple(t)
	watch, lines := useMessages(t, c, alice, bob, ": open\n")
	if out := c.at(alice).run("status"); !strings.Contains(out, alice.ID()) {
		t.Errorf("status: %s", out)
	}
	// No program at bob handles this request.
	if out := c.at(alice).fails("request", "bob", "get_stats", "null"); !strings.Contains(out, `"code":"remote"`) ||
		!strings.Contains(out, `"remoteCode":1003`) {
		t.Errorf("a request without a handler: %s", out)
	}
	alice.Stop()
	ended(t, watch, lines)
}
