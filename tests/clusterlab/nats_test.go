package clusterlab

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// external is a NATS server in a process of its own.
type external struct {
	t       *testing.T
	binary  string
	address string
	cmd     *exec.Cmd
}

// newExternal builds the server. It does not run yet.
func newExternal(t *testing.T) *external {
	t.Helper()
	e := &external{t: t, binary: filepath.Join(t.TempDir(), "nats-server.exe"), address: sockettest.FreeAddress(t)}
	build := exec.Command("go", "build", "-o", e.binary, "github.com/nats-io/nats-server/v2")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build nats-server: %v: %s", err, out)
	}
	t.Cleanup(e.kill)
	return e
}

func (e *external) start() {
	e.t.Helper()
	host, port, err := net.SplitHostPort(e.address)
	if err != nil {
		e.t.Fatal(err)
	}
	e.cmd = exec.Command(e.binary, "-a", host, "-p", port)
	e.cmd.Stdout, e.cmd.Stderr = nil, os.Stderr
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
}

func (e *external) kill() {
	if e.cmd != nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
		e.cmd = nil
	}
}

// TestExternalNATSDownAndBack: members whose NATS is down at the start, and later, serve their own peers alone, and
// find each other by themselves when it is back.
func TestExternalNATSDownAndBack(t *testing.T) {
	t.Parallel()
	server := newExternal(t)
	c := newCluster(t, "a", "b", "c")
	c.nats = "nats://" + server.address
	c.start("a", "b", "c")
	peer := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"])
	c.members["a"].Await("peer_verified", "peer", peer.ID())
	c.awaitStates("a", "a alive")
	for _, when := range []string{"start", "cut"} {
		server.start()
		began := time.Now()
		c.awaitAll()
		c.awaitHomes(peer.ID())
		t.Logf("%s: together %v after NATS runs", when, time.Since(began).Round(time.Millisecond))
		c.beacon(peer, "with-"+when).await()
		server.kill()
		began = time.Now()
		c.awaitStates("a", "a alive", "b lost", "c lost")
		t.Logf("%s: alone %v after NATS was killed", when, time.Since(began).Round(time.Millisecond))
		if r := c.members["a"].Run("send", peer.ID(), "alone"); r.Code != 0 {
			t.Errorf("a cannot reach its own peer: %s", r.Stderr)
		}
		began = time.Now()
		if r := c.members["b"].Run("send", peer.ID(), "no way"); r.Code == 0 {
			t.Error("b reached a peer of another member without NATS")
		} else {
			t.Logf("%s: send from b failed after %v: %s", when, time.Since(began).Round(time.Millisecond), lastLine(r.Stderr))
		}
	}
}
