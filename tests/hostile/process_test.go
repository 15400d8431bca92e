package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// process is a running node binary without the race detector, whose shadow memory would hide the measured memory.
type process struct {
	*nodetest.Process
	t *testing.T
}

// bookOf returns the path of the peer book of a home.
func bookOf(home string) string { return filepath.Join(home, "peers.db") }

// launch runs a node until the test ends. The home is its data directory. Of its events, those about its start and
// verified peers are recorded.
func launch(t *testing.T, home string, args ...string) *process {
	t.Helper()
	o := nodetest.ProcessOptions{Home: home, Data: home, Only: []string{"listening", "peer_verified"}}
	return &process{nodetest.StartProcess(t, o, args...), t}
}

// run runs a command against the node of a home and returns its exit code and standard error.
func run(t *testing.T, home string, args ...string) (code int, stderr string) {
	t.Helper()
	args = append(args[:len(args):len(args)], "--data-dir", home)
	r := nodetest.RunCommand(t, nodetest.ProcessOptions{Home: home}, args...)
	return r.Code, r.Stderr
}

// oneLineNames reports whether standard error is one line that contains a path.
func oneLineNames(stderr, path string) bool {
	return strings.Contains(stderr, path) && strings.Count(stderr, "\n") == 1
}

// memory reads a line of the process's status file in bytes: VmRSS is the present use, VmHWM the peak.
func (p *process) memory(name string) int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	must(p.t, err)
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			must(p.t, err)
			return kib << 10
		}
	}
	p.t.Fatalf("no %s in the process's status", name)
	return 0
}

// forgetPeak resets the peak to the present use.
func (p *process) forgetPeak() {
	p.t.Helper()
	must(p.t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0))
}

// connect connects a reference peer to the node.
func (p *process) connect(o refpeer.Options) *refpeer.Conn {
	p.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(p.t, "honest")
	}
	conn, err := refpeer.Dial(withTimeout(p.t), p.URL(), o)
	must(p.t, err)
	p.t.Cleanup(conn.Close)
	return conn
}

// roundTrip pings the node and waits for the answer, so that the node has judged all earlier frames.
func (p *process) roundTrip(c *refpeer.Conn) {
	p.t.Helper()
	id, err := c.Send(refpeer.TypePing, p.ID(), map[string]int{"sentAt": 1})
	must(p.t, err)
	for {
		e, err := c.RecvType(withTimeout(p.t), refpeer.TypePong)
		if err != nil {
			p.Fatalf("no answer to a ping: %v", err)
		}
		if e.ReplyTo == id {
			return
		}
	}
}
