package blackbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// processes is the number of workers of TestManyProcessesStayUsable. Each takes about 15 MB of memory.
var processes = flag.Int("processes", 20, "worker processes of TestManyProcessesStayUsable")

// startPatience is how long the workers of TestManyProcessesStayUsable may take to be connected, in all.
const startPatience = 10 * time.Minute

// manyPeer is the part of a peer in `node peers` that TestManyProcessesStayUsable reads.
type manyPeer struct{ ID, Name, Role, State, Version, Session string }

// TestManyProcessesStayUsable runs a controller with many workers, each a process, with its role and version, and one
// configured address that never answers. `peers`, `status`, the metrics and the dashboard's stream list all of them;
// the log has their times and sizes. For 300: go test -run ManyProcesses ./tests/blackbox -processes 300 -v
func TestManyProcessesStayUsable(t *testing.T) {
	n := *processes
	controller := nodetest.StartProcess(t, nodetest.ProcessOptions{Only: []string{"listening"}}, "--name", "controller",
		"--role", "controller", "--max-conns", fmt.Sprint(n+20), "--admin", "127.0.0.1:0", "--metrics-per-peer",
		"--peer", "127.0.0.1:1")
	began := time.Now()
	for i := range n {
		nodetest.StartProcess(t, nodetest.ProcessOptions{Only: []string{"listening"}}, "--name",
			fmt.Sprintf("worker-%03d", i), "--role", "worker", "--peer", controller.Address())
	}
	awaitEstablished(t, controller, n)
	t.Logf("%d workers connected after %v", n, time.Since(began).Round(time.Millisecond))

	checkManyPeers(t, controller, n)
	took, text := timed(t, func() string { return get(t, controller.Hello.Str("admin")+"/metrics") })
	if found := strings.Count(text, "\np2p_peer_info{"); found != min(n, 200) {
		t.Errorf("%d series p2p_peer_info, want %d", found, min(n, 200))
	}
	t.Logf("a scrape: %v, %d bytes", took, len(text))
	checkManyOnStream(t, controller.Hello.Str("admin"), n)
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", controller.PID())); err == nil {
		t.Logf("memory of the controller: %s", field(string(status), "VmRSS:"))
	}
}

func awaitEstablished(t *testing.T, controller *nodetest.Process, n int) {
	t.Helper()
	for deadline := time.Now().Add(startPatience); ; {
		got := controller.Status().Connections.Established
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d workers are connected", got, n)
		}
	}
}

// checkManyPeers requires n connected workers with role, version and session, and the address that never answers.
func checkManyPeers(t *testing.T, controller *nodetest.Process, n int) {
	t.Helper()
	took, out := timed(t, func() string { return controller.Run("peers", "--output", "json").Stdout })
	var peers []manyPeer
	if err := json.Unmarshal([]byte(out), &peers); err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	silent := 0
	for _, p := range peers {
		switch {
		case p.ID == "" && p.State != "connected":
			silent++
		case p.Role != "worker" || p.State != "connected" || p.Version == "" || p.Session != "session/1":
			t.Errorf("peer %+v", p)
		default:
			names[p.Name] = true
		}
	}
	if len(names) != n || silent != 1 {
		t.Errorf("%d workers and %d silent addresses, want %d and 1", len(names), silent, n)
	}
	t.Logf("node peers, JSON: %v, %d bytes", took, len(out))
	took, out = timed(t, func() string { return controller.Run("peers", "--sort", "name").Stdout })
	if lines := strings.Count(out, "worker-"); lines != n {
		t.Errorf("%d workers in the text, want %d", lines, n)
	}
	t.Logf("node peers, text: %v, %d bytes", took, len(out))
}

// checkManyOnStream reads ticks of the dashboard's stream: the first lists all peers, further ones only changes.
func checkManyOnStream(t *testing.T, admin string, n int) {
	t.Helper()
	resp, err := http.Get(admin + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 4<<20)
	var sizes, changed []int
	for ticks := 0; ticks < 6 && lines.Scan(); {
		if lines.Text() != "event: tick" || !lines.Scan() {
			continue
		}
		data := bytes.TrimPrefix(lines.Bytes(), []byte("data: "))
		var tick struct {
			Full  bool
			Peers []json.RawMessage
		}
		if err := json.Unmarshal(data, &tick); err != nil {
			t.Fatal(err)
		}
		if ticks == 0 && (!tick.Full || len(tick.Peers) != n+1) || ticks > 0 && tick.Full {
			t.Errorf("tick %d: full %v, %d peers, want %d", ticks, tick.Full, len(tick.Peers), n+1)
		}
		sizes, changed = append(sizes, len(data)), append(changed, len(tick.Peers))
		ticks++
	}
	if len(sizes) != 6 {
		t.Fatalf("%d ticks: %v", len(sizes), lines.Err())
	}
	t.Logf("updates of the dashboard: %d bytes, with peers %d", sizes, changed)
}

// timed returns the time and the result of a call.
func timed(t *testing.T, call func() string) (time.Duration, string) {
	t.Helper()
	began := time.Now()
	text := call()
	return time.Since(began).Round(time.Millisecond), text
}

// get returns the body of a page.
func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", filepath.Base(url), resp.StatusCode, err)
	}
	return string(body)
}

// field returns the rest of the line that begins with name.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
