package actors

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/wire"
)

// gather queues a message of size bytes for the peer, in a gathering.
func (r *rig) gather(g *Gathering, id string, size int) {
	r.t.Helper()
	msg, err := wire.NewMessage("stats", r.node.Keys.Identity().ID, "", strings.Repeat("x", size))
	if err != nil {
		r.t.Fatal(err)
	}
	msg.ID = id
	post, err := g.Broadcast(msg)
	if err == nil {
		err = post(r.slot.handle)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestGatheringSendsOneRecord requires 16 gathered broadcasts to leave in one record, in order, and none before Flush.
func TestGatheringSendsOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.PaceOff = true })
		p := r.openProven()
		records := func() (sizes []int, ids string) {
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, record := range p.records {
				sizes = append(sizes, len(record))
				for _, msg := range record {
					if msg.Type == "stats" {
						ids += msg.ID + " "
					}
				}
			}
			return sizes, ids
		}
		before, _ := records()
		var g Gathering
		want := ""
		for i := range 16 {
			synctest.Wait()
			r.gather(&g, fmt.Sprint(i), 256)
			want += fmt.Sprint(i, " ")
		}
		if sizes, _ := records(); len(sizes) != len(before) {
			t.Errorf("%d records before Flush", len(sizes)-len(before))
		}
		g.Flush()
		if sizes, ids := records(); fmt.Sprint(sizes[len(before):]) != "[16]" || ids != want {
			t.Errorf("records of %v messages: %s", sizes[len(before):], ids)
		}
		g.Flush()
		if sizes, _ := records(); len(sizes) != len(before)+1 {
			t.Error("a second Flush sends again")
		}
	})
}

// gathered counts the results of messages of a gathering.
type gathered struct {
	mu  sync.Mutex
	err []error
}

// Resolve implements Result.
func (g *gathered) Resolve(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = append(g.err, err)
}

// TestGatheringReportsEachResult requires messages with results to leave in one record at Flush, with one result each.
func TestGatheringReportsEachResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions, func(l *Limits) { l.PaceOff = true })
		p := r.openProven()
		var g Gathering
		var results gathered
		for range 16 {
			synctest.Wait()
			msg, err := wire.NewMessage("stats", r.node.Keys.Identity().ID, "", "text")
			if err == nil {
				err = g.PostFor(r.slot.handle, msg, &results)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := p.stats(); got != 0 || len(results.err) != 0 {
			t.Errorf("%d messages and %d results before Flush", got, len(results.err))
		}
		g.Flush()
		synctest.Wait()
		if last := p.records[len(p.records)-1]; len(last) != 16 {
			t.Errorf("%d messages in the last record", len(last))
		}
		if len(results.err) != 16 || errors.Join(results.err...) != nil {
			t.Errorf("results %v", results.err)
		}
	})
}

// stats returns the number of messages of type stats that have arrived.
func (p *sessionPeer) stats() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, record := range p.records {
		for _, msg := range record {
			if msg.Type == "stats" {
				n++
			}
		}
	}
	return n
}

// TestGatheringStartsFullQueues requires a writer to start without Flush if 64 KiB or half of the limit wait, and with
// the next message of a program.
func TestGatheringStartsFullQueues(t *testing.T) {
	for name, c := range map[string]struct {
		limit, size, messages int
		post                  bool
	}{
		"bytes":    {4096, 1 << 15, 2, false},
		"messages": {8, 10, 5, false},
		"posted":   {4096, 10, 1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, sessions, func(l *Limits) { l.PaceOff, l.QueueMessages = true, c.limit })
			p := r.openProven()
			var g Gathering
			for i := range c.messages {
				synctest.Wait()
				if got := p.stats(); got != 0 {
					t.Errorf("%s: %d messages sent after %d", name, got, i)
				}
				r.gather(&g, fmt.Sprint(i), c.size)
			}
			want := c.messages
			if c.post {
				if err := r.post("posted", 1); err != nil {
					t.Fatal(err)
				}
				want++
			}
			synctest.Wait()
			if got := p.stats(); got != want {
				t.Errorf("%s: %d messages sent, want %d", name, got, want)
			}
		})
	}
}
