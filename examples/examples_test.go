// Package examples runs the programs below it and checks their output and the text of the README.
package examples

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/wire"
)

// maxLines is the limit of a program, without blank lines and comments. The actor that crashes needs more.
const (
	maxLines      = 60
	maxActorLines = 90
)

func TestProgramsPrintTheirOutput(t *testing.T) {
	tests := map[string]string{
		"actors": "subscribed, 0 connected\n" +
			"bob has 1 - 1 connected\ncarol has 1 - 2 connected\n" +
			"subscribed, 2 connected\n" + // after the crash
			"carol left, 1 connected\nbob has 2 - 1 connected\n",
		"request": "total 3\n" +
			"no sum: peer ID: the peer answers with error 1001 (invalid message): \"malformed message: payload: " +
			"string instead of []int\"\n" +
			"no sum: peer ID: context deadline exceeded\n",
		"faults": "handled: good after 1 panic\nconnected: 1 after 1 crash\n",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := program(t, name).Output()
			if err != nil {
				t.Fatalf("%v: %s%s", err, out, stderr(err))
			}
			if got := withoutIDs(string(out)); got != want {
				t.Errorf("it prints\n%s, want\n%s", got, want)
			}
		})
	}
}

// The program of the README dials a node, sends a message to it and prints the node's own message.
func TestEmbedExchangesMessages(t *testing.T) {
	alice := startAlice(t)
	cmd := program(t, "embed", "-peer", alice.Addr().String())
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	wantLine(t, lines, "sent hello to \"alice\", Ctrl-C ends\n")
	hello := <-alice.received
	if hello.name != "carol" || hello.payload != `"hello"` {
		t.Errorf("alice received %v", hello)
	}
	alice.SendNew(hello.from, "chat", "welcome")
	wantLine(t, lines, "\"alice\" says \"welcome\"\n")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "carol", "identity.json")); err != nil {
		t.Error(err)
	}
}

func TestEmbedNamesAnUnreachablePeer(t *testing.T) {
	out, err := program(t, "embed", "-peer", "127.0.0.1:1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "127.0.0.1:1") {
		t.Errorf("it ended with %v and printed %s", err, out)
	}
}

func TestReadmeShowsTheEmbedProgram(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("embed/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\n```go\n"+string(source)+"```\n") {
		t.Error("README.md does not show examples/embed/main.go: copy it there")
	}
}

func TestProgramsAreShort(t *testing.T) {
	files, err := filepath.Glob("*/main.go")
	if err != nil || len(files) != 4 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := slices.DeleteFunc(strings.Split(string(source), "\n"), func(line string) bool {
			line = strings.TrimSpace(line)
			return line == "" || strings.HasPrefix(line, "//")
		})
		limit := maxLines
		if filepath.Dir(file) == "actors" {
			limit = maxActorLines
		}
		if len(code) >= limit {
			t.Errorf("%s has %d lines of code, want fewer than %d", file, len(code), limit)
		}
	}
}

type chat struct{ from, name, payload string }

type aliceNode struct {
	*nodetest.Node
	received chan chat
}

// startAlice starts a node that passes on the chat messages it receives.
func startAlice(t *testing.T) aliceNode {
	t.Helper()
	received := make(chan chat, 8)
	return aliceNode{nodetest.Start(t, nodetest.Options{
		Name: "alice",
		OnMessage: func(from *supervisor.PeerConnection, msg *wire.Message) {
			if msg.Type == "chat" {
				received <- chat{from.Peer().ID, from.Peer().Name, string(msg.Payload)}
			}
		},
	}), received}
}

// program builds a program and returns the command that runs it in a new folder, for a minute at most.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, name+".exe") // Windows runs nothing else
	if out, err := exec.Command("go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	return cmd
}

func wantLine(t *testing.T, lines *bufio.Reader, want string) {
	t.Helper()
	if got, err := lines.ReadString('\n'); err != nil || got != want {
		t.Fatalf("it printed %q, %v; want %q", got, err, want)
	}
}

// withoutIDs writes ID for each word of 32 hexadecimal digits, which differ from run to run.
func withoutIDs(text string) string {
	words := strings.SplitAfter(text, " ")
	for i, word := range words {
		if id := strings.TrimRight(word, ": "); len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
			words[i] = "ID" + word[32:]
		}
	}
	return strings.Join(words, "")
}

func stderr(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return string(exit.Stderr)
	}
	return ""
}
