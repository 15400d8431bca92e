package clusterlab

import (
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// before is the binary from which the members are replaced.
var before = flag.String("before", "", "binary of the version before, for the rolling restart; empty: this version")

// TestRollingRestartLosesNothingWithoutAReport replaces three members, one after another, while a peer with the
// addresses of all sends numbered messages to the node. Each arrives at exactly one member, or the sender reports it,
// or it was sent less than 10 s before the sender reported the end of its connection.
func TestRollingRestartLosesNothingWithoutAReport(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	for _, name := range c.names {
		c.binary[name] = *before
	}
	c.start("a", "b", "c")
	c.awaitAll()
	peer := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--stdin",
		"--peer", c.listen["a"], "--peer", c.listen["b"], "--peer", c.listen["c"])
	c.awaitHomes(peer.ID())
	load := &load{peer: peer, to: c.id, stop: make(chan struct{})}
	load.wait.Go(load.run)
	runs := []*nodetest.Process{c.members["a"], c.members["b"], c.members["c"]}
	for _, name := range c.names {
		began := time.Now()
		c.members[name].Stop()
		delete(c.members, name)
		c.binary[name] = ""
		c.start(name)
		runs = append(runs, c.members[name])
		c.awaitAll()
		c.awaitHomes(peer.ID())
		t.Logf("%s restarted in %v", name, time.Since(began).Round(time.Millisecond))
	}
	close(load.stop)
	load.wait.Wait()
	load.drain(t)
	load.account(t, runs)
}

// load is a stream of numbered messages of a peer.
type load struct {
	peer *nodetest.Process
	to   string
	stop chan struct{}
	wait sync.WaitGroup
	sent []time.Time // by number, from line 1
}

func (l *load) run() {
	for tick := time.NewTicker(25 * time.Millisecond); ; {
		select {
		case <-l.stop:
			tick.Stop()
			return
		case <-tick.C:
			l.sent = append(l.sent, time.Now())
			l.peer.WriteLines(fmt.Sprintf(`{"to":%q,"type":"load","payload":%d}`, l.to, len(l.sent)))
		}
	}
}

// drain waits until the peer has handled all lines: the error of an invalid one shows that.
func (l *load) drain(t *testing.T) {
	t.Helper()
	l.peer.WriteLines("end")
	last := fmt.Sprintf("line %d: no JSON", len(l.sent)+1)
	l.peer.AwaitStderr(last, func(text string) bool { return regexp.MustCompile(last).MatchString(text) })
}

var failedLine = regexp.MustCompile(`standard input, line (\d+): `)

func (l *load) account(t *testing.T, runs []*nodetest.Process) {
	t.Helper()
	arrived, failed := make(map[int]int), make(map[int]bool)
	for _, run := range runs {
		for _, m := range run.Messages("load") {
			number, _ := strconv.Atoi(string(m.Payload))
			arrived[number]++
		}
	}
	for _, match := range failedLine.FindAllStringSubmatch(l.peer.Stderr(), -1) {
		number, _ := strconv.Atoi(match[1])
		failed[number] = true
	}
	var once, refused, reported int
	for i, at := range l.sent {
		switch number := i + 1; {
		case arrived[number] > 1:
			t.Errorf("message %d arrived %d times", number, arrived[number])
		case arrived[number] == 1:
			once++
		case failed[number]:
			refused++
		case l.ended(at):
			reported++
		default:
			t.Errorf("message %d of %v is lost without a report", number, at)
		}
	}
	t.Logf("%d messages: %d arrived once, %d failed with an error, %d lost before a reported end",
		len(l.sent), once, refused, reported)
}

// ended reports whether the peer has reported the end or a move of its connection within 10 s after a time.
func (l *load) ended(at time.Time) bool {
	for _, e := range l.peer.All() {
		if e.Kind != "peer_down" && e.Kind != "peer_moved" {
			continue
		}
		when, err := time.Parse(time.RFC3339Nano, e.Str("time"))
		if after := when.Sub(at); err == nil && after >= 0 && after < 10*time.Second {
			return true
		}
	}
	return false
}
