package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

const (
	aliceID = "6b4c195b5338ff84876cc6de1b1118bf"
	bobID   = "8dffda5ff32ade93902da91128a56961"
)

// drowsyNode is the node alice. Its peer bob answers a number of pings and then none.
type drowsyNode struct {
	control.Node
	answers atomic.Int32
	asleep  func() // called at the first unanswered ping
	printed func() // called when the command has written to stdout
}

// hookedBuffer calls wrote after each write.
type hookedBuffer struct {
	bytes.Buffer
	wrote func()
}

func (b *hookedBuffer) Write(data []byte) (int, error) {
	defer b.wrote()
	return b.Buffer.Write(data)
}

func (*drowsyNode) Identity() crypto.NodeIdentity {
	return crypto.NodeIdentity{ID: aliceID, Name: "alice"}
}
func (*drowsyNode) Resolve(string) (string, error) { return bobID, nil }

func (n *drowsyNode) RequestContext(ctx context.Context, _ string, m *wire.Message) (*wire.Message, error) {
	if n.answers.Add(-1) >= 0 {
		return m.Reply(wire.MsgPong, nil)
	}
	if n.asleep != nil {
		n.asleep()
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// ping runs `node ping bob` against a node with its own control socket. A value of signals interrupts it.
func (n *drowsyNode) ping(t *testing.T, signals chan os.Signal, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	server, err := control.Listen(dir, settings.NoGroup, control.NewHandler(n, 1<<20), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.Serve()
	defer server.Close(context.Background())
	out := hookedBuffer{wrote: func() {}}
	if n.printed != nil {
		out.wrote = n.printed
	}
	var complaints bytes.Buffer
	a := &app{
		stdin: strings.NewReader(""), stdout: &out, stderr: &complaints, now: time.Now, dataDir: dir, hostName: "host",
		signals: func() (<-chan os.Signal, func()) { return signals, func() {} },
	}
	status = a.run(append([]string{"ping", "bob"}, args...))
	return status, out.String(), complaints.String()
}

// The JSON contains the peer's ID even without an answer.
func TestPingWithoutAnswerNamesThePeer(t *testing.T) {
	status, stdout, stderr := (&drowsyNode{}).ping(t, nil, "--count", "1", "--timeout", "10ms", "--output", "json")
	var r pingResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || r != (pingResult{Peer: bobID, Sent: 1}) {
		t.Errorf("%v: %s", err, stdout)
	}
	if status != exitTimeout || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, %q", status, stderr)
	}
}

// Ctrl-C during a ping ends the series with its summary.
func TestInterruptedPingPrintsTheSummary(t *testing.T) {
	for _, c := range []struct {
		answers        int32
		output, stdout string
		status         int
	}{
		{2, "json", `{"peer":"` + bobID + `","sent":3,"received":2,`, exitDone},
		{2, "text", "3 sent, 2 received, min/avg/max", exitDone},
		{0, "json", `{"peer":"` + bobID + `","sent":1,"received":0,`, exitTimeout},
		{0, "text", "1 sent, 0 received\n", exitTimeout},
	} {
		signals := make(chan os.Signal, 1)
		node := &drowsyNode{asleep: func() { signals <- syscall.SIGINT }}
		node.answers.Store(c.answers)
		status, stdout, stderr := node.ping(t, signals, "--count", "9", "--interval", "1ms", "--output", c.output)
		if status != c.status || !strings.Contains(stdout, c.stdout) || (stderr == "") != (status == exitDone) {
			t.Errorf("%d answers, %s: status %d, want %d, %q, %q", c.answers, c.output, status, c.status, stdout, stderr)
		}
	}
}

// Ctrl-C between two pings does not wait for the next one.
func TestPingStopsBetweenTwoPings(t *testing.T) {
	signals := make(chan os.Signal, 1)
	interrupt := sync.OnceFunc(func() { signals <- syscall.SIGINT })
	node := &drowsyNode{printed: interrupt} // the first answer is printed
	node.answers.Store(1)
	status, stdout, stderr := node.ping(t, signals, "--interval", "1h")
	if status != exitDone || !strings.Contains(stdout, "1 sent, 1 received") || stderr != "" {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}
