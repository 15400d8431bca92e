package admin

import (
	"context"
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

const (
	sampleEvery = time.Second
	historySize = 300                    // samples: five minutes
	askTimeout  = 900 * time.Millisecond // of a question to this or another member: it ends before the next sample
)

// row is one sample of the charts, with the columns below.
type row [numColumns]float64

// The columns of a row, in the order that the page expects.
const (
	colTime        = iota // Unix milliseconds
	colReceived           // messages a second
	colSent               // messages a second
	colBytesIn            // bytes a second
	colBytesOut           // bytes a second
	colDrops              // messages, frames and connections a second
	colRTTMin             // milliseconds; 0: not measured
	colRTTMedian          // milliseconds
	colRTTMax             // milliseconds
	colQueued             // messages in outbound queues
	colEstablished        // connections

	numColumns
)

// monitor samples the node every second, with or without viewers, so that a new viewer gets the history of the last
// five minutes. Its memory is bounded.
type monitor struct {
	// Fixed at construction.
	node    Node
	journal *journal
	others  *poller // nil: the node is alone

	// Owned by run.
	counters map[string]uint64 // at the last sample
	at       time.Time         // of the last sample
	notes    map[string]note
	table    peerTable
	seq      uint64 // samples so far

	mu      sync.Mutex
	history []row         // oldest first
	latest  *tick         // nil: no viewers
	watched int           // viewers
	changed chan struct{} // closed and replaced with every sample
}

// newMonitor returns a monitor of a node. members is nil if the node is alone.
func newMonitor(node Node, journal *journal, members Members) *monitor {
	m := &monitor{node: node, journal: journal, notes: make(map[string]note), changed: make(chan struct{})}
	if members != nil {
		m.others = newPoller(members)
	}
	return m
}

// run samples until ctx ends.
func (m *monitor) run(ctx context.Context) {
	m.counters, m.at = m.node.Counters(), time.Now()
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if m.others != nil {
				m.others.rounds.Wait()
			}
			return
		case now := <-ticker.C:
			m.sample(ctx, now)
		}
	}
}

// watch changes the number of viewers. Without viewers the monitor collects no views.
func (m *monitor) watch(change int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched += change
}

// tick is one view as JSON. Safe for concurrent use.
type tick struct {
	seq     uint64        // grows by one with each sample
	changes []byte        // with the changes since the tick before
	full    func() []byte // with all peers; encoded at the first call
}

// since returns the JSON for a viewer that last received the tick with number seen; 0: none.
func (t *tick) since(seen uint64) []byte {
	if t.seq == seen+1 && seen != 0 {
		return t.changes
	}
	return t.full()
}

// news returns the last view, nil if there is none, and a channel that the next sample closes.
func (m *monitor) news() (*tick, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest, m.changed
}

// past returns a copy of the history.
func (m *monitor) past() []row {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]row{}, m.history...) // never nil: that would be null in JSON
}

func (m *monitor) sample(running context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(running, askTimeout)
	defer cancel()
	counters := m.node.Counters()
	v := newView(m.node, counters, now)
	if status, err := m.node.Status(ctx); err == nil {
		v.addStatus(status)
	}
	load := m.node.Load()
	next := ratesOf(counters, m.counters, now.Sub(m.at).Seconds())
	next[colTime], next[colEstablished] = float64(now.UnixMilli()), float64(v.Established)
	next.measure(output.NewLoad(load))
	v.Row = next
	m.takeNotes(counters, now)
	m.counters, m.at = counters, now

	m.mu.Lock()
	watched := m.watched > 0
	m.mu.Unlock()
	m.seq++
	if !watched {
		m.table.reset()
		if m.others != nil {
			m.others.reset()
		}
		m.publish(next, nil)
		return
	}
	v.addTree(ctx, m.node)
	list, queuedBytes, listed := listPeers(ctx, m.node, load.Peers)
	if m.others != nil {
		list, queuedBytes, listed = m.others.add(running, v, load.Peers, list, queuedBytes)
	}
	m.publish(next, m.newTick(v, list, queuedBytes, listed))
}

// newTick adds the peers to v and encodes it.
func (m *monitor) newTick(v *view, list []*output.Peer, queuedBytes map[string]int, listed int) *tick {
	all, changed, gone := m.table.update(list, queuedBytes)
	full := *v
	full.Listed, full.Full, full.Peers, full.Gone = listed, true, all, []string{}
	v.Listed, v.Peers, v.Gone = listed, changed, gone
	return &tick{seq: m.seq, changes: encode(v), full: sync.OnceValue(func() []byte { return encode(full) })}
}

func (m *monitor) publish(next row, latest *tick) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.history) == historySize {
		m.history = append(m.history[:0], m.history[1:]...)
	}
	m.history = append(m.history, next)
	m.latest = latest
	close(m.changed)
	m.changed = make(chan struct{})
}

// ratesOf returns a row with the rates of counters since before, a number of seconds ago. Without an earlier value, or
// after a restart of the node, the rates are 0.
func ratesOf(counters, before map[string]uint64, seconds float64) row {
	rate := func(names ...string) float64 {
		var n uint64
		for _, name := range names {
			if now, then := counters[name], before[name]; now > then {
				n += now - then
			}
		}
		if seconds <= 0 || before == nil {
			return 0
		}
		return float64(n) / seconds
	}
	var drops []string
	for _, d := range dropReasons() {
		if d.counter != dialsFailed {
			drops = append(drops, d.counter)
		}
	}
	return row{
		colReceived: rate("messagesReceived"), colSent: rate("messagesSent"),
		colBytesIn: rate("bytesReceived"), colBytesOut: rate("bytesSent"),
		colDrops: rate(drops...),
	}
}
