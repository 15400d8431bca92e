package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// watchFor runs a monitor for d of the bubble's time. It calls during, if not nil, before the time passes.
func watchFor(node *fakeNode, viewers int, d time.Duration, during func()) *monitor {
	m := newMonitor(node, newJournal(), nil)
	m.watch(viewers)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.run(ctx)
	}()
	synctest.Wait()
	if during != nil {
		during()
	}
	time.Sleep(d)
	synctest.Wait()
	cancel()
	<-done
	return m
}

func TestMonitorComputesRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{accepting: true}
		for _, ms := range []time.Duration{5, 1, 9, 0} {
			node.connected = append(node.connected, peer(fmt.Sprint(ms), func(p *supervisor.PeerInfo) {
				p.RTT = ms * time.Millisecond
			}))
		}
		m := watchFor(node, 0, sampleEvery, func() {
			node.counters.Add(actors.MessagesReceived, 30)
			node.counters.Add(actors.BytesSent, 500)
			node.counters.Add(actors.MessagesStale, 2)
			node.counters.Add(actors.DialsFailed, 8)
		})
		got := m.past()
		want := row{
			colTime: float64(time.Now().UnixMilli()), colReceived: 30, colBytesOut: 500, colDrops: 2,
			colRTTMin: 1, colRTTMedian: 5, colRTTMax: 9, colQueued: 12, colEstablished: 4,
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("history %v, want one row %v", got, want)
		}
		if m.latest != nil {
			t.Error("a view without a viewer")
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{}
		m := watchFor(node, 0, 3*historySize*sampleEvery, nil)
		got := m.past()
		if len(got) != historySize || cap(m.history) > 2*historySize {
			t.Fatalf("%d rows, capacity %d, want %d", len(got), cap(m.history), historySize)
		}
		for i := 1; i < len(got); i++ {
			if got[i][colTime]-got[i-1][colTime] != 1000 {
				t.Fatalf("row %d is %v ms after the one before", i, got[i][colTime]-got[i-1][colTime])
			}
		}
	})
}

// A full peer book does not enlarge the view. Verified and persistent peers come first.
func TestViewIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{accepting: true}
		for i := range 5000 {
			node.known = append(node.known, peer(fmt.Sprintf("%05d", i), func(p *supervisor.PeerInfo) {
				p.Connected, p.Persistent = false, i == 4999
				p.LastSeen = time.Unix(int64(i), 0)
			}))
		}
		for i := range 300 {
			node.connected = append(node.connected, peer(fmt.Sprintf("c%05d", i), func(p *supervisor.PeerInfo) {
				p.Verified = i == 299
			}))
		}
		m := watchFor(node, 1, sampleEvery, nil)
		var v view
		if err := json.Unmarshal(m.latest.full(), &v); err != nil {
			t.Fatal(err)
		}
		if len(v.Peers) != maxPeers || v.Listed != 5300 || v.Known != 5300 || v.Tree.Total != 300 {
			t.Errorf("%d peers of %d, %d known, %d connections", len(v.Peers), v.Listed, v.Known, v.Tree.Total)
		}
		if v.Peers[0].Key != "c00299" || v.Peers[1].Key != "04999" || v.State != "accepting" {
			t.Errorf("the first are %s and %s, state %s", v.Peers[0].Key, v.Peers[1].Key, v.State)
		}
	})
}

func TestViewNamesTheState(t *testing.T) {
	for want, node := range map[string]*fakeNode{
		"accepting": {accepting: true}, "dialling": {}, "stopping": {stopped: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := watchFor(node, 1, sampleEvery, nil)
			var v view
			if err := json.Unmarshal(m.latest.full(), &v); err != nil || v.State != want {
				t.Errorf("state %q, %v, want %s", v.State, err, want)
			}
		})
	}
}

// A flood makes one entry every ten seconds, and the entries count every drop.
func TestNotesAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{}
		m := watchFor(node, 0, 0, nil)
		m.counters, m.at = node.Counters(), time.Now()
		for range 30 {
			node.counters.Add(actors.MessagesRateLimited, 5)
			time.Sleep(time.Second)
			m.sample(t.Context(), time.Now())
		}
		entries := m.journal.since(0)
		if len(entries) != 3 || entries[0].Text != "5 frames dropped: over the rate limit" ||
			entries[1].Text != "50 frames dropped: over the rate limit" {
			t.Errorf("entries %+v", entries)
		}
	})
}
