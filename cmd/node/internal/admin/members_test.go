package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// overviewOf returns an answer with these connected peers.
func overviewOf(member string, peers ...string) output.Overview {
	o := output.Overview{
		Status: output.Status{
			Version: "v1", Uptime: 5, Connections: output.ConnectionCounts{Established: len(peers), Max: 50},
			Counters: map[string]uint64{"messagesReceived": 7}, HeapBytes: 1000, Goroutines: 10,
		},
		Load: output.Load{Peers: len(peers), Queued: 2, MedianRTTMs: 3, MinRTTMs: 1, MaxRTTMs: 9},
	}
	for _, id := range peers {
		o.Peers = append(o.Peers, output.Peer{
			ID: id, State: output.StateConnected, Connected: true, Verified: true, Member: member,
		})
	}
	return o
}

// watched is a monitor with one viewer on a clock of a test.
type watched struct {
	t       *testing.T
	monitor *monitor
	members *fakeMembers
	end     func()
}

// watchMembers starts a monitor of member a, with the members b and c.
func watchMembers(t *testing.T, node *fakeNode,
	answer func(ctx context.Context, member, after string, limit int) (output.Overview, error),
) *watched {
	members := &fakeMembers{answer: answer, list: []output.Member{
		{Name: "a", State: "alive", Self: true, Connections: 1, Max: 100},
		{Name: "b", State: "alive"},
		{Name: "c", State: "alive"},
	}}
	w := &watched{t: t, members: members, monitor: newMonitor(node, newJournal(), members)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.monitor.run(ctx)
	}()
	synctest.Wait()
	w.end = func() { cancel(); <-done }
	return w
}

// next lets one sample pass and returns its view.
func (w *watched) next() (v view) {
	w.t.Helper()
	time.Sleep(sampleEvery)
	synctest.Wait()
	latest, _ := w.monitor.news()
	if latest == nil {
		w.t.Fatal("no view")
	}
	if err := json.Unmarshal(latest.full(), &v); err != nil {
		w.t.Fatal(err)
	}
	return v
}

// keysOf returns the sorted keys of the peers of a view, with their members.
func keysOf(t *testing.T, v view) string {
	t.Helper()
	var keys []string
	for _, p := range v.Peers {
		var facts peerFacts
		if err := json.Unmarshal(p.Facts, &facts); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, p.Key+"@"+facts.Member)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// TestMembersAreAskedOnlyForViewers requires no question without a viewer, one to each other member in a sample with
// one, also while a member does not answer.
func TestMembersAreAskedOnlyForViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchMembers(t, &fakeNode{}, func(ctx context.Context, member, _ string, _ int) (output.Overview, error) {
			if member == "c" {
				<-ctx.Done()
				return output.Overview{}, ctx.Err()
			}
			return overviewOf(member), nil
		})
		defer w.end()
		time.Sleep(10 * sampleEvery)
		synctest.Wait()
		if asked := w.members.takeAsked(); len(asked) != 0 {
			t.Errorf("asked without a viewer: %q", asked)
		}
		w.monitor.watch(1)
		for i := range 5 {
			w.next()
			if asked := w.members.takeAsked(); !slices.Equal(asked, []string{"b  250", "c  250"}) {
				t.Errorf("sample %d: asked %q", i, asked)
			}
		}
		w.monitor.watch(-1)
		time.Sleep(10 * sampleEvery)
		synctest.Wait()
		if asked := w.members.takeAsked(); len(asked) != 0 {
			t.Errorf("asked after the last viewer: %q", asked)
		}
	})
}

// TestViewShowsAllMembers follows a view of three members: one answers, one stops to answer and is named with its next
// sample, without its peers and numbers.
func TestViewShowsAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := false
		node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{peer("p1")}}
		w := watchMembers(t, node, func(ctx context.Context, member, _ string, _ int) (output.Overview, error) {
			switch {
			case member == "b":
				return overviewOf("b", "p2", "p3"), nil
			case silent:
				<-ctx.Done()
				return output.Overview{}, ctx.Err()
			default:
				return overviewOf("c", "p4"), nil
			}
		})
		defer w.end()
		w.monitor.watch(1)
		v := w.next()
		if len(v.Members.List) != 3 || len(v.Members.Silent) != 0 || keysOf(t, v) != "p1@a" || v.Members.Self != "a" {
			t.Errorf("the first: %+v, peers %s", v.Members, keysOf(t, v))
		}
		for range 3 {
			v = w.next()
			total := v.Members.Total
			if keys := keysOf(t, v); keys != "p1@a p2@b p3@b p4@c" || len(v.Members.Silent) != 0 || total.Members != 3 ||
				total.Established != 4 || total.Peers != 4 || total.Max != 200 || total.Row[colQueued] != 7 ||
				total.Counters["messagesReceived"] != 14 || v.Listed != 4 {
				t.Errorf("all answer: %s, silent %q, total %+v", keys, v.Members.Silent, total)
			}
		}
		w.members.set(func() { silent = true })
		w.next() // shows the answers of the round before
		before := time.Now()
		v = w.next()
		if time.Since(before) != sampleEvery {
			t.Errorf("the sample was delayed: %v", time.Since(before))
		}
		if keys := keysOf(t, v); keys != "p1@a p2@b p3@b" || !slices.Equal(v.Members.Silent, []string{"c"}) ||
			v.Members.List[2].Numbers != nil || v.Members.Total.Established != 3 {
			t.Errorf("one is silent: %s, %+v", keys, v.Members)
		}
		w.members.set(func() { silent = false })
		w.next()
		if v = w.next(); keysOf(t, v) != "p1@a p2@b p3@b p4@c" || len(v.Members.Silent) != 0 {
			t.Errorf("it answers again: %s, silent %q", keysOf(t, v), v.Members.Silent)
		}
		// A lost member is silent at once, although it has answered the last question; one that has left is not listed.
		w.members.set(func() { w.members.list[1].State, w.members.list = "lost", w.members.list[:2] })
		v = w.next()
		if keysOf(t, v) != "p1@a" || !slices.Equal(v.Members.Silent, []string{"b"}) || len(v.Members.List) != 2 {
			t.Errorf("one is lost: %s, %+v", keysOf(t, v), v.Members)
		}
	})
}

// TestMonitorEndsWithItsQuestions requires run to wait for the questions in progress.
func TestMonitorEndsWithItsQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan string, 2)
		w := watchMembers(t, &fakeNode{}, func(ctx context.Context, member, _ string, _ int) (output.Overview, error) {
			<-ctx.Done()
			ended <- member
			return output.Overview{}, ctx.Err()
		})
		w.monitor.watch(1)
		w.next()
		w.end()
		if len(ended) != 2 {
			t.Errorf("%d questions have ended", len(ended))
		}
	})
}

// TestMemberPeersAreReadInPages reads a member with many peers, one page a round, and again from the first page.
func TestMemberPeersAreReadInPages(t *testing.T) {
	for name, c := range map[string]struct {
		pages []int    // sizes of the member's pages
		after []string // cursors of the rounds
		rows  []int    // after each round
	}{
		"one":           {[]int{3}, []string{"", "", ""}, []int{3, 3, 3}},
		"none":          {[]int{0}, []string{"", ""}, []int{0, 0}},
		"three":         {[]int{9, 9, 5}, []string{"", "1", "2", "", "1"}, []int{9, 18, 23, 23, 23}},
		"more than all": {[]int{9, 9, 9, 9, 9, 9}, []string{"", "1", "2", "3", ""}, []int{9, 18, 27, 36, 36}},
	} {
		var s memberState
		for round, after := range c.after {
			if s.after != after {
				t.Errorf("%s: cursor of round %d is %q, want %q", name, round, s.after, after)
			}
			a := memberAnswer{overview: overviewOf("b", make([]string, c.pages[s.page])...)}
			if s.page+1 < len(c.pages) {
				a.overview.Next = fmt.Sprint(s.page + 1)
			}
			s.take(a)
			rows := 0
			for _, p := range s.pages {
				rows += len(p.peers)
			}
			if rows != c.rows[round] {
				t.Errorf("%s: %d rows after round %d, want %d", name, rows, round, c.rows[round])
			}
		}
		if s.take(memberAnswer{err: errors.New("x")}); s.pages != nil || s.after != "" || s.answered || !s.asked {
			t.Errorf("%s: after a failure %+v", name, s)
		}
	}
}

// TestMemberRatesNeedTwoAnswers computes rates by the uptime of the member, and none over a restart.
func TestMemberRatesNeedTwoAnswers(t *testing.T) {
	var s memberState
	for i, c := range []struct {
		uptime   float64
		received uint64
		want     float64
	}{{10, 100, 0}, {12, 130, 15}, {13, 130, 0}, {1, 5, 0}, {2, 9, 4}} {
		o := overviewOf("b")
		o.Status.Uptime, o.Status.Counters = c.uptime, map[string]uint64{"messagesReceived": c.received}
		if s.take(memberAnswer{overview: o}); s.row[colReceived] != c.want {
			t.Errorf("answer %d: %v a second, want %v", i, s.row[colReceived], c.want)
		}
	}
}

func TestPageSizeBoundsARound(t *testing.T) {
	for others, want := range map[int]int{0: 250, 1: 250, 4: 250, 5: 200, 20: 50, 40: 25, 100: 25} {
		if got := pageSize(others); got != want {
			t.Errorf("%d others: %d, want %d", others, got, want)
		}
	}
}
