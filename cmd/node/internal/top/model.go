// Package top is the live view of a running node in the terminal. The model is pure: the screen depends only on the
// samples and keys that it received.
package top

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// Feed is the node behind the view. Its methods are safe for concurrent use.
type Feed interface {
	Sample(ctx context.Context) Sample
	// Disconnect closes all connections of a peer, or for a claimed peer (output.Peer.Claimed) only its connection.
	Disconnect(ctx context.Context, peer output.Peer) error
}

// Sample is the state of the node at one moment. If Err is set, only At is valid too.
type Sample struct {
	At     time.Time
	Status output.Status
	Peers  []output.Peer
	Err    error

	Missing []string // members of the node that have not answered
}

// history is the number of values that a sparkline keeps.
const history = 60

// order is the sort order of the peers.
type order int

const (
	byState order = iota
	byName
	byRTT
	byQueue
	bySeen
	orders
)

func (o order) String() string { return [...]string{"state", "name", "rtt", "queue", "seen"}[o] }

// mode selects the meaning of the keys.
type mode int

const (
	browsing   mode = iota
	filtering       // keys edit the filter
	looking         // details of the selected peer
	confirming      // a question: yes or no
)

// Model is the view's state.
type Model struct {
	feed     Feed
	interval time.Duration
	width    int
	height   int

	last, before Sample
	in, out      []float64            // messages a second of the node
	rtt          map[string][]float64 // milliseconds, by key

	mode     mode
	back     mode // the mode before confirming
	sort     order
	reversed bool
	filter   string
	selected string // key of the peer
	note     string // result of the last command
	quitting bool
}

// New returns a model with a first sample. It takes another one every interval.
func New(feed Feed, interval time.Duration, first Sample) Model {
	m := Model{feed: feed, interval: interval, width: 80, height: 24, rtt: make(map[string][]float64)}
	return m.take(first)
}

// Messages to the model besides those of the terminal.
type (
	tick         struct{}
	disconnected struct {
		name string
		err  error
	}
)

// sampleTimeout limits one request. A node that does not answer in time is shown as silent.
const sampleTimeout = 3 * time.Second

// Init implements tea.Model.
func (m Model) Init() tea.Cmd { return m.later() }

func (m Model) later() tea.Cmd {
	return tea.Tick(m.interval, func(time.Time) tea.Msg { return tick{} })
}

func (m Model) ask() tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
		defer cancel()
		return m.feed.Sample(ctx)
	}
}

// Update implements tea.Model.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		return m, m.ask()
	case Sample:
		return m.take(msg), m.later()
	case disconnected:
		m.note = "disconnected " + msg.name
		if msg.err != nil {
			m.note = "disconnect " + msg.name + ": " + msg.err.Error()
		}
		return m, m.ask()
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.InterruptMsg:
		return m.quit()
	}
	return m, nil
}

// take adds a sample. A failed one keeps the previous values and shows the error.
func (m Model) take(s Sample) Model {
	if s.Err != nil {
		m.last.Err = s.Err
		return m
	}
	m.before, m.last = m.last, s
	m.in = grow(m.in, m.rate("messagesReceived"))
	m.out = grow(m.out, m.rate("messagesSent"))
	next := make(map[string][]float64, len(s.Peers)) // without the peers that are gone
	for _, p := range s.Peers {
		next[key(p)] = m.rtt[key(p)]
		if p.Connected && p.RTTMs > 0 {
			next[key(p)] = grow(m.rtt[key(p)], p.RTTMs)
		}
	}
	m.rtt = next
	return m.reselect()
}

// grow appends a value to a copy, because models must not share a slice.
func grow(values []float64, v float64) []float64 {
	values = append(slices.Clone(values), v)
	return values[max(0, len(values)-history):]
}

// rate returns the growth of a counter per second, or 0 if unknown: at the first sample and across a restart.
func (m Model) rate(counter string) float64 {
	now, then := m.last.Status.Counters[counter], m.before.Status.Counters[counter]
	seconds := m.last.At.Sub(m.before.At).Seconds()
	if m.before.At.IsZero() || seconds <= 0 || now < then || m.last.Status.Uptime < m.before.Status.Uptime {
		return 0
	}
	return float64(now-then) / seconds
}

// key identifies an entry: the node ID, or the address if no peer has answered there.
func key(p output.Peer) string { return cmp.Or(p.ID, p.Address) }

// visible returns the peers that match the filter, sorted.
func (m Model) visible() []output.Peer {
	var list []output.Peer
	wanted := strings.ToLower(m.filter)
	for _, p := range m.last.Peers {
		text := strings.Join([]string{p.Alias, p.Name, p.ID, p.Address, p.Direction, string(p.State)}, " ")
		if strings.Contains(strings.ToLower(text), wanted) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b output.Peer) int {
		c := m.compare(a, b)
		if m.reversed {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(key(a), key(b)))
	})
	return list
}

func (m Model) compare(a, b output.Peer) int {
	switch m.sort {
	case byName:
		return cmp.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label()))
	case byRTT:
		return cmp.Compare(b.RTTMs, a.RTTMs)
	case byQueue:
		return cmp.Compare(b.Queued, a.Queued)
	case bySeen:
		return b.LastSeen.Compare(a.LastSeen)
	default:
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label())))
	}
}

func rank(p output.Peer) int {
	return slices.Index([]output.State{
		output.StateConnected, output.StateUnverified, output.StateDialling, output.StateWaiting, output.StateAway,
	}, p.State)
}

// at returns the index of the selected peer in a list, or -1.
func (m Model) at(list []output.Peer) int {
	return slices.IndexFunc(list, func(p output.Peer) bool { return key(p) == m.selected })
}

// reselect moves the selection to the first visible peer if the selected one is not visible.
func (m Model) reselect() Model {
	list := m.visible()
	if m.at(list) < 0 {
		m.selected = ""
		if len(list) > 0 {
			m.selected = key(list[0])
		}
		if m.mode == looking || m.mode == confirming {
			m.mode = browsing
		}
	}
	return m
}

// peer returns the selected peer.
func (m Model) peer() (output.Peer, bool) {
	list := m.visible()
	if i := m.at(list); i >= 0 {
		return list[i], true
	}
	return output.Peer{}, false
}
