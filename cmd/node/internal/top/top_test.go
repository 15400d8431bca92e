package top

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/crypto"
)

var update = flag.Bool("update", false, "write the screens of testdata again")

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fakeFeed records the disconnected peers.
type fakeFeed struct {
	gone []string
	err  error
}

func (f *fakeFeed) Sample(context.Context) Sample { return sampleAt(9) }

func (f *fakeFeed) Disconnect(_ context.Context, peer output.Peer) error {
	f.gone = append(f.gone, peer.ID)
	return f.err
}

// sampleAt returns the node some seconds after start. Its counters grow steadily.
func sampleAt(seconds int) Sample {
	at := start.Add(time.Duration(seconds) * time.Second)
	n, next := uint64(seconds), at.Add(4*time.Second)
	return Sample{
		At: at,
		Status: output.Status{
			Identity: crypto.NodeIdentity{ID: "6b4c195b5338ff84876cc6de1b1118bf", Name: "alice"},
			Address:  "127.0.0.1:9091", Uptime: 3600 + float64(seconds), Auth: "open",
			Connections: output.ConnectionCounts{Established: 2, Pending: 1, Max: 100},
			Counters: map[string]uint64{
				"messagesReceived": 100 * n, "messagesSent": 50 * n * n, "bytesReceived": 40_000 * n, "bytesSent": 2_000_000 * n,
				"messagesRateLimited": 54 + n, "messagesDuplicate": 3, "actorRestarts": 1,
			},
			Goroutines: 23, HeapBytes: 14 << 20,
		},
		Peers: []output.Peer{
			{
				ID: "8dffda5ff32ade93902da91128a56961", Name: "bob", Role: "dual",
				Connected: true, Verified: true, Direction: "inbound", RTTMs: float64(1 + seconds%4),
				Address: "10.0.0.7:51234", LastSeen: at.Add(-3 * time.Second), AddedAt: start, Queued: 7,
				PublicKey: "xgIcSXQ0VEqDqmeVSVsNswK46Eb+AU6kZZmnrLZYnTA=", Session: "session/1", Pinned: true,
				State: output.StateConnected, Agent: "go-p2p 1.2", Version: "1.2", ClockSkewMs: -1500,
				MessagesReceived: 20, MessagesSent: 10, Dropped: 2, Addresses: []string{},
				Connections: []output.Connection{
					{Connection: 4, Direction: "inbound", Address: "10.0.0.7:51234", Session: "session/1", MessagesReceived: 15},
					{Connection: 5, Direction: "outbound", Address: "10.0.0.7:9091", Session: "smsg", MessagesSent: 10, Dropped: 2},
				},
			},
			{
				ID: "00ffda5ff32ade93902da91128a56961", Name: "carol", Role: "worker",
				Connected: true, Direction: "outbound", RTTMs: 12.5, Address: "wss://example.org:443/ws",
				LastSeen: at, Persistent: true, Session: "smsg", State: output.StateUnverified,
			},
			{
				ID: "11ffda5ff32ade93902da91128a56961", Name: "dave\x1b[31m with a long name",
				Address: "203.0.113.9:9091", LastSeen: at.Add(-50 * time.Hour), State: output.StateAway,
			},
			{
				ID: "22ffda5ff32ade93902da91128a56961", Name: "mallory", Alias: "eve", State: output.StateAway, Revoked: true,
				RefusedUntil: at.Add(90 * time.Minute),
			},
			{
				Address: "192.0.2.10:9091", Addresses: []string{"192.0.2.10:9091"}, Persistent: true, State: output.StateWaiting,
				Attempts: 3, NextDialAt: &next, LastError: "connect: connection refused\x1b[2J",
			},
		},
	}
}

// watched returns a model with some samples.
func watched(feed Feed, samples int) Model {
	m := New(feed, time.Second, sampleAt(0))
	for i := 1; i < samples; i++ {
		m = press(m, sampleAt(i))
	}
	return m
}

// press sends messages, or keys by name, to a model.
func press(m Model, messages ...tea.Msg) Model {
	for _, msg := range messages {
		if name, ok := msg.(string); ok {
			msg = keyOf(name)
		}
		next, _ := m.Update(msg)
		m = next.(Model)
	}
	return m
}

func keyOf(name string) tea.KeyPressMsg {
	codes := map[string]rune{
		"up": tea.KeyUp, "down": tea.KeyDown, "enter": tea.KeyEnter, "esc": tea.KeyEscape,
		"backspace": tea.KeyBackspace, "end": tea.KeyEnd, "home": tea.KeyHome,
	}
	if code, ok := codes[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// Screens of 80 × 24 cells, without colours.
func TestScreensMatchTestdata(t *testing.T) {
	down := &fakeFeed{err: errors.New("the peer is not connected")}
	for name, m := range map[string]Model{
		"peers":    watched(nil, 12),
		"selected": press(watched(nil, 12), "down", "s", "r"),
		"filter":   press(watched(nil, 3), "/", "c", "a", "r"),
		"nomatch":  press(watched(nil, 3), "/", "z", "z", "enter"),
		"details":  press(watched(nil, 12), "enter"),
		"confirm":  press(watched(nil, 12), "d"),
		"failed":   press(watched(nil, 2), disconnected{name: "bob (8dffda5f)", err: down.err}),
		"silent":   press(watched(nil, 2), Sample{Err: errors.New("no running node")}),
		"address":  press(watched(nil, 2), "down", "down", "enter"),
		"wide":     press(watched(nil, 12), tea.WindowSizeMsg{Width: 120, Height: 30}),
	} {
		picture := ansi.Strip(m.screen()) + "\n"
		path := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(picture), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if picture != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, picture, want)
		}
		checkSize(t, name, m)
	}
}

func checkSize(t *testing.T, name string, m Model) {
	t.Helper()
	lines := strings.Split(m.screen(), "\n")
	if len(lines) > m.height {
		t.Errorf("%s: %d lines in a window of %d", name, len(lines), m.height)
	}
	for _, line := range lines {
		if got := ansi.StringWidth(line); got > m.width {
			t.Errorf("%s: %d cells in a window of %d: %s", name, got, m.width, line)
		}
	}
}

func TestScreenFitsEveryWindow(t *testing.T) {
	for width := 1; width < 200; width += 13 {
		for height := 1; height < 60; height += 7 {
			for _, keys := range [][]tea.Msg{{}, {"enter"}, {"d"}, {"/", "x"}} {
				messages := append(keys, tea.WindowSizeMsg{Width: width, Height: height})
				checkSize(t, "a size", press(watched(nil, 4), messages...))
			}
		}
	}
}

func TestKeysMoveTheSelection(t *testing.T) {
	for keys, want := range map[string]string{
		"": "bob", "down": "carol", "down down up": "carol", "up": "bob", "end": "eve", "end down": "eve",
		"end home": "bob", "/ d a v enter": "dave", "/ d a v esc": "dave", "s s": "bob", "/ d backspace enter": "bob",
		"end s s s s s": "eve", "down down": "192.0.2.10:9091", "/ 1 9 2 enter": "192.0.2.10:9091", "/ e v e enter": "eve",
	} {
		m := watched(nil, 3)
		for name := range strings.FieldsSeq(keys) {
			m = press(m, name)
		}
		if p, ok := m.peer(); !ok || !strings.HasPrefix(p.Label()+p.Address, want) {
			t.Errorf("%q selects %q, want %s", keys, p.Label(), want)
		}
	}
}

// Only a yes disconnects, and the last line shows the result.
func TestDisconnectNeedsAYes(t *testing.T) {
	feed := &fakeFeed{}
	m := press(watched(feed, 3), "d")
	if next, cmd := m.Update(keyOf("n")); cmd != nil || !strings.Contains(next.(Model).foot(), "not disconnected") {
		t.Errorf("no is answered with %s", next.(Model).foot())
	}
	next, cmd := m.Update(keyOf("y"))
	if cmd == nil {
		t.Fatal("yes does nothing")
	}
	m = press(next.(Model), cmd())
	if strings.Join(feed.gone, " ") != "8dffda5ff32ade93902da91128a56961" ||
		!strings.Contains(m.foot(), "disconnected bob (8dffda5f)") {
		t.Errorf("gone %v, %s", feed.gone, m.foot())
	}
	m = press(watched(feed, 3), "end", "d")
	if m.mode == confirming || !strings.Contains(m.foot(), "is not connected") {
		t.Errorf("a peer that is away: %s", m.foot())
	}
}

// An address without a peer can be selected, but there is nothing to disconnect.
func TestAddressWithoutAPeerIsNotDisconnected(t *testing.T) {
	feed := &fakeFeed{}
	m := press(watched(feed, 3), "down", "down", "d")
	if m.mode == confirming || !strings.Contains(m.foot(), "no peer has answered at 192.0.2.10:9091") {
		t.Errorf("the last line is %q", m.foot())
	}
}

// An unverified peer is closed by the number of its connection.
func TestDisconnectOfAClaimNamesItsConnection(t *testing.T) {
	claim := output.Peer{ID: "00ffda5ff32ade93902da91128a56961", Name: "carol", Connected: true, Connection: 7}
	if got := question(claim); got != "Close connection 7, which claims to be carol (00ffda5f)?" {
		t.Errorf("asks %q", got)
	}
	claim.Persistent = true // the question is about the configured peer
	if got := question(claim); got != "Disconnect carol (00ffda5f) and stop redialling it?" {
		t.Errorf("asks %q", got)
	}
}

// Counters that restart with a new process give no rate.
func TestRateIsZeroAcrossARestart(t *testing.T) {
	m := watched(nil, 5)
	if got := m.rate("messagesReceived"); got != 100 {
		t.Errorf("rate %v", got)
	}
	again := sampleAt(0)
	again.At, again.Status.Uptime = start.Add(9*time.Second), 1
	if got := press(m, again).rate("messagesReceived"); got != 0 {
		t.Errorf("rate %v after a restart", got)
	}
}

func TestQuitKeysEndTheView(t *testing.T) {
	for _, msg := range []tea.Msg{keyOf("q"), tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}, tea.InterruptMsg{}} {
		next, cmd := watched(nil, 1).Update(msg)
		if cmd == nil || next.View().Content != "" || next.View().AltScreen {
			t.Errorf("%v does not end it", msg)
		}
	}
	if next, cmd := press(watched(nil, 1), "enter").Update(keyOf("q")); cmd == nil || next.View().Content != "" {
		t.Error("q does not end it from the details of a peer")
	}
}

// The next tick follows the sample, so that a slow node never gets two requests at once.
func TestTickFollowsTheSample(t *testing.T) {
	m := watched(&fakeFeed{}, 1)
	_, cmd := m.Update(tick{})
	if s, ok := cmd().(Sample); !ok || s.Err != nil {
		t.Error("a tick asks for no sample")
	}
	if _, cmd := m.Update(sampleAt(1)); cmd == nil {
		t.Error("no tick follows a sample")
	}
}

func TestSparkScalesToTheLargest(t *testing.T) {
	for want, values := range map[string][]float64{"   ": nil, "  ▁": {0}, " ▁█": {0, 5}, "▂▄█": {9, 1, 2, 4}} {
		if got := spark(values, 3); got != want {
			t.Errorf("%v is %q, want %q", values, got, want)
		}
	}
}

// Successful dials are not listed with the failed ones.
func TestTroublesListFailedDialsOnly(t *testing.T) {
	sample := sampleAt(1)
	sample.Status.Counters = map[string]uint64{"dials": 5, "dialsFailed": 2}
	got := ansi.Strip(New(&fakeFeed{}, time.Second, sample).troubles())
	if !strings.Contains(got, "failed dials 2") || strings.Contains(got, "5") {
		t.Errorf("the line is %q", got)
	}
}
