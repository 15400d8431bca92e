package blackbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// fleet is a mesh of processes in which each node dials the nodes before it, sends messages to all others in turn, and
// is restarted in another session mode.
type fleet struct {
	t       *testing.T
	members []*member
	before  string // binary of the release before sessions, in place of --session off; empty: none
}

// member is one node of a fleet over all of its processes.
type member struct {
	*node
	fleet   *fleet
	number  int
	home    string
	address string
	id      string // node ID
	session bool   // its sessions are on
	mark    int    // of the events of the present process

	mu    sync.Mutex // held while a line is written and while the process is replaced
	runs  []*node
	lines map[string]line // by payload
	sent  int             // lines written to the present process
	next  int             // peer of the next line
	stop  chan struct{}
}

// line is one message written to a node's standard input.
type line struct {
	at     time.Time
	to     int // number of the peer
	run    int
	number int // within the run
}

// TestFleetUpgradesAndRollsBackUnderLoad restarts the nodes of a mesh one by one, first with sessions and then without,
// while each sends ten messages a second. No pair of the other nodes is ever disconnected, and each pair has the format
// that its modes say. Each message arrives once, or its sender has reported an error, or the end of the connection
// after it.
//
// FLEET is the number of nodes. FLEET_BEFORE is the binary of a release before sessions: the nodes then begin and end
// with it.
func TestFleetUpgradesAndRollsBackUnderLoad(t *testing.T) {
	size, _ := strconv.Atoi(cmp.Or(os.Getenv("FLEET"), "4"))
	f := &fleet{t: t, before: os.Getenv("FLEET_BEFORE")}
	for i := range size {
		m := &member{
			fleet: f, number: i, home: nodetest.NewHome(t), address: sockettest.FreeAddress(t),
			lines: make(map[string]line), stop: make(chan struct{}),
		}
		f.members = append(f.members, m)
		m.start(false)
		m.awaitPeers(i)
	}
	var loads sync.WaitGroup
	for _, m := range f.members {
		loads.Go(m.load)
	}
	for _, session := range []bool{true, false} {
		for _, m := range f.members {
			f.restart(m, session)
		}
		f.check()
	}
	for _, m := range f.members {
		close(m.stop)
	}
	loads.Wait()
	f.account()
}

func (m *member) start(session bool) {
	args := []string{"--stdin", "--name", fmt.Sprint("member", m.number), "--listen", m.address}
	for _, other := range m.fleet.members[:m.number] {
		args = append(args, "--peer", other.address)
	}
	o := nodetest.ProcessOptions{Home: m.home}
	switch {
	case session:
	case m.fleet.before != "":
		o.Binary = m.fleet.before
	default:
		args = append(args, "--session", "off")
	}
	m.node = &node{nodetest.StartProcess(m.fleet.t, o, args...), m.fleet.t}
	m.runs, m.session, m.sent = append(m.runs, m.node), session, 0
	if m.id == "" { // the first start; later the others read it
		m.id = m.ID()
	}
}

// awaitPeers waits until the node has verified a number of peers.
func (m *member) awaitPeers(count int) {
	m.AwaitStatus(fmt.Sprint(count, " peers"), func(s nodetest.Status) bool { return s.Connections.Established == count })
}

// load writes a message for the next peer every 100 ms.
func (m *member) load() {
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-m.stop:
			tick.Stop()
			m.mu.Lock()
			defer m.mu.Unlock()
			m.drain()
			return
		case <-tick.C:
			m.write()
		}
	}
}

func (m *member) write() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next = (m.next + 1) % len(m.fleet.members); m.next == m.number {
		return
	}
	m.sent++
	payload := fmt.Sprintf("%d/%d/%d", m.number, len(m.runs), m.sent)
	m.lines[payload] = line{at: time.Now(), to: m.next, run: len(m.runs) - 1, number: m.sent}
	m.WriteLines(fmt.Sprintf(`{"to":%q,"type":"load","payload":%q}`, m.fleet.members[m.next].id, payload))
}

// drain waits until the process has handled all lines: the error of an invalid one shows that. m.mu is held.
func (m *member) drain() {
	m.sent++
	m.WriteLines("end")
	text := fmt.Sprintf("line %d: no JSON", m.sent)
	m.AwaitStderr(text, func(log string) bool { return strings.Contains(log, text) })
}

// restart replaces the process of a member, and waits until all are connected again. No other pair is disconnected.
func (f *fleet) restart(m *member, session bool) {
	began := time.Now()
	for _, other := range f.members {
		other.mark = other.Mark()
	}
	m.mu.Lock()
	m.drain()
	m.Stop()
	m.start(session)
	m.mark = 0
	m.mu.Unlock()
	m.awaitPeers(len(f.members) - 1)
	for _, other := range f.members {
		other.awaitPeers(len(f.members) - 1)
		if other != m { // messages pass both ways
			m.Await("message", "peer", other.ID())
			other.AwaitAfter(other.mark, "message", "peer", m.ID())
		}
		for _, e := range other.All()[other.mark:] {
			if e.Kind == "peer_down" && e.Str("peer") != m.ID() && other != m {
				f.t.Errorf("restart of %d: at %d %s", m.number, other.number, e.Line)
			}
		}
	}
	took := time.Since(began).Round(time.Millisecond)
	f.t.Logf("member %d restarted, sessions %v: all connected after %v", m.number, session, took)
}

// check compares the connections of all members with their modes.
func (f *fleet) check() {
	for _, m := range f.members {
		if !m.session && f.before != "" {
			continue // does not show it
		}
		for _, other := range f.members {
			if other == m {
				continue
			}
			want := "smsg"
			if m.session && other.session {
				want = "session/1"
			}
			got := m.sessionWith(other.ID())
			if !got.Connected || got.Session != want || len(got.Connections) != 1 {
				f.t.Errorf("member %d lists member %d as %+v, want one connection with %s", m.number, other.number, got, want)
			}
		}
	}
}

// account compares the messages that were sent with those that arrived and with the reports of the senders.
func (f *fleet) account() {
	arrived := make(map[string]int)
	for _, m := range f.members {
		for _, run := range m.runs {
			for _, e := range run.Messages("load") {
				var payload string
				if err := json.Unmarshal(e.Payload, &payload); err != nil {
					f.t.Error(err)
				}
				arrived[payload]++
			}
		}
	}
	var sent, once, failed, reported int
	for _, m := range f.members {
		refused := m.failedLines()
		for payload, l := range m.lines {
			sent++
			switch count := arrived[payload]; {
			case count > 1:
				f.t.Errorf("message %s arrived %d times", payload, count)
			case count == 1:
				once++
			case refused[l.run][l.number]:
				failed++
			case m.reportedLoss(l):
				reported++
			default:
				f.t.Errorf("message %s of %v is lost without a report", payload, l.at)
			}
		}
	}
	f.t.Logf("%d members, %d messages: %d arrived once, %d were refused with an error, %d lost before a reported end",
		len(f.members), sent, once, failed, reported)
}

var failedLine = regexp.MustCompile(`standard input, line (\d+): `)

// failedLines returns the lines of each run that the node has reported as failed.
func (m *member) failedLines() []map[int]bool {
	runs := make([]map[int]bool, len(m.runs))
	for i, run := range m.runs {
		runs[i] = make(map[int]bool)
		for _, match := range failedLine.FindAllStringSubmatch(run.Stderr(), -1) {
			number, _ := strconv.Atoi(match[1])
			runs[i][number] = true
		}
	}
	return runs
}

// reportedLoss reports whether the sender has reported, within 10 s, that the connection has ended or moved.
func (m *member) reportedLoss(l line) bool {
	for _, e := range m.runs[l.run].All() {
		if e.Kind != "peer_down" && e.Kind != "peer_moved" || e.Str("peer") != m.fleet.members[l.to].ID() {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, e.Str("time"))
		if after := at.Sub(l.at); err == nil && after >= 0 && after < 10*time.Second {
			return true
		}
	}
	return false
}
