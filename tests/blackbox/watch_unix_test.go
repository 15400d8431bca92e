//go:build unix

package blackbox

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// watching starts `node watch` and returns once it prints events: it sends messages of type probe until one appears.
func watching(t *testing.T, n, peer *node, args ...string) *nodetest.Background {
	t.Helper()
	w := background(t, n.Home(), append([]string{"watch", "--type", "probe"}, args...)...)
	for !strings.Contains(w.Stdout(), "probe") {
		peer.ok("send", n.ID(), "--type", "probe", "null")
	}
	return w
}

// TestWatchPrintsTheEventsOfRun byte for byte, with payloads, although the node prints none.
func TestWatchPrintsTheEventsOfRun(t *testing.T) {
	t.Parallel()
	a := start(t, "--events", "no-payloads")
	b := start(t, "--peer", a.Address())
	meet(a, b)
	w := watching(t, a, b, "--output", "json", "--type", "chat", "--events", "message,peer_down,stopped", "--peer", b.ID())
	id := b.ok("send", a.ID(), `{"n": 1}`)
	b.ok("send", a.ID(), "other", "--type", "unwatched")
	w.Await(regexp.MustCompile(`"id":"` + id))
	b.Stop()
	w.Await(regexp.MustCompile(`"event":"peer_down"`))
	var kinds []string
	for line := range strings.Lines(w.Stdout()) {
		var e struct {
			Event, Time, Peer string
			Connection        int
			Message           struct {
				ID, Type string
				Payload  json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time == "" || e.Peer != b.ID() {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Message.Type != "probe" {
			kinds = append(kinds, e.Event+e.Message.Type+string(e.Message.Payload))
		}
		if e.Message.Type == "unwatched" || e.Event == "message" && e.Connection < 1 {
			t.Errorf("printed %s", line)
		}
	}
	if got := strings.Join(kinds, " "); got != `messagechat{"n":1} peer_down` {
		t.Errorf("watched %s", got)
	}
	w.Signal(syscall.SIGINT)
	if r := w.Wait(); r.Code != 0 || r.Stderr != "" {
		t.Errorf("interrupted: exit code %d, %q", r.Code, r.Stderr)
	}
}

func TestWatchEndsByCountTimeoutAndStop(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	text := watching(t, a, b, "--count", "1").Wait()
	if line := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}  < \S+ \([0-9a-f]{8}\) probe \S+: null\n$`); text.Code != 0 ||
		!line.MatchString(text.Stdout) || text.Stderr != "" {
		t.Errorf("count: exit code %d, %q, %q", text.Code, text.Stdout, text.Stderr)
	}
	late := a.run("watch", "--timeout", "100ms", "--count", "2", "--events", "peer_moved")
	if late.want(t, 5); late.stdout != "" ||
		late.stderr != "node: watch: timed out after 100ms with 0 of 2 events: "+
			"wait longer with --timeout, or select other events\n" {
		t.Errorf("timeout: %q, %q", late.stdout, late.stderr)
	}
	ends := watching(t, a, b, "--events", "message", "--output", "json")
	a.Stop()
	r := ends.Wait()
	if lines := strings.Split(strings.TrimSpace(r.Stdout), "\n"); r.Code != 1 ||
		r.Stderr != "node: watch: the node has stopped\n" ||
		!strings.HasPrefix(lines[len(lines)-1], `{"event":"stopped",`) {
		t.Errorf("the node stops: exit code %d, %q, %q", r.Code, r.Stdout, r.Stderr)
	}
	var run []string
	for _, e := range a.All() {
		run = append(run, e.Line)
	}
	for line := range strings.Lines(r.Stdout) { // the same objects as of `node run`, with the same times
		if !slices.Contains(run, line) {
			t.Errorf("node run has not printed %s", line)
		}
	}
}

func TestWatchRefusesWrongUsage(t *testing.T) {
	t.Parallel()
	a := start(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--events", "peer_left"}, 2, "--events peer_left: must be one or more of peer_up, "},
		{[]string{"--events", "listening"}, 2, "--events listening: must be one or more of peer_up, "},
		{[]string{"--count", "0"}, 2, "--count"},
		{[]string{"--timeout", "soon"}, 2, "--timeout"},
		{[]string{"--type", "pong"}, 2, "type pong"},
		{[]string{"--peer", "stranger"}, 4, "no peer of that name"},
		{[]string{"argument"}, 2, "takes no arguments"},
	} {
		r := a.run(append([]string{"watch"}, c.args...)...)
		r.want(t, c.code)
		r.says(t, c.says)
	}
}

// TestStoppedWatcherLosesEventsOnly: a watcher that does not run slows nothing; the node counts its lost events.
func TestStoppedWatcherLosesEventsOnly(t *testing.T) {
	t.Parallel()
	a := start(t, "--rate-refill", "0")
	b := start(t, "--peer", a.Address(), "--stdin")
	meet(a, b)
	w := watching(t, a, b, "--type", "bulk", "--output", "json")
	w.Signal(syscall.SIGSTOP)
	payload := strings.Repeat("x", 32<<10)
	const count = 600 // 19 MiB
	for range count {
		b.WriteLines(`{"to":"` + a.ID() + `","type":"bulk","payload":"` + payload + `"}`)
	}
	a.AwaitCount(count, "message", "message.type", "bulk")
	lost := int(a.Status().Counters["eventsLost"])
	if lost < 1 || lost >= count {
		t.Errorf("%d events lost of %d", lost, count)
	}
	w.Signal(syscall.SIGCONT)
	b.WriteLines(`{"to":"` + a.ID() + `","type":"bulk","payload":"the last"}`)
	w.Await(regexp.MustCompile(`"payload":"the last"`))
	seen, reported := 0, 0
	for line := range strings.Lines(w.Stdout()) {
		var e struct {
			Event   string
			Count   int
			Message struct{ Type string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if reported += e.Count; e.Message.Type == "bulk" {
			seen++
		}
	}
	if seen+reported != count+1 || reported < lost {
		t.Errorf("%d seen and %d reported as lost, want %d together and at least %d lost", seen, reported, count+1, lost)
	}
}
