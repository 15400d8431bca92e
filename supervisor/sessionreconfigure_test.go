package supervisor

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Two nodes change their session modes at random while both send and their connections end. Each message arrives or is
// counted as one that came after a goodbye, or its Send returned an error. In the end one connection is left.
func TestModeChangesUnderLoadLoseNothing(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) { changeModes(t, seed) })
	}
}

func changeModes(t *testing.T, seed uint64) {
	n, random := memnet.New(seed), rand.New(rand.NewPCG(seed, 0))
	keep := func(address string) func(*nodeSetup) {
		return func(s *nodeSetup) { s.cfg.RateRefill, s.cfg.Peers = 0, []string{address} }
	}
	nodes := [2]*testNode{startNode(t, n, 1, keep("10.0.0.2:9091")), startNode(t, n, 2, keep("10.0.0.1:9091"))}
	n.SetLatency("10.0.0.1", "10.0.0.2", 30*time.Millisecond)
	n.SetLatency("10.0.0.2", "10.0.0.1", 30*time.Millisecond)
	setMode := func(x *testNode, mode SessionMode) {
		cfg := *x.live.Load()
		cfg.Session = mode
		if _, _, err := x.Reconfigure(context.Background(), cfg); err != nil {
			t.Error(err)
		}
	}
	var senders sync.WaitGroup
	var sent [2]int
	until := time.Now().Add(5 * time.Minute)
	for i, x := range nodes {
		peer := nodes[1-i].id()
		senders.Go(func() {
			for ; time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
				if x.Send(peer, x.to(peer, "chat", nil)) == nil {
					sent[i]++
				}
			}
		})
	}
	for time.Now().Before(until) {
		i := random.IntN(2)
		setMode(nodes[i], allSessionModes()[random.IntN(4)])
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Millisecond)
		if c := nodes[i].GetConnection(nodes[1-i].id()); c != nil && random.IntN(2) == 0 {
			_ = c.GracefulClose("a test", 1000)
		}
	}
	senders.Wait()
	for _, x := range nodes {
		setMode(x, SessionPin)
	}
	time.Sleep(2 * time.Minute) // the longest pause between two dials is 1 min
	for i, x := range nodes {
		got, late := len(nodes[1-i].got("chat")), int(nodes[1-i].count(actors.MessagesAfterGoodbye))
		if got == 0 || got+late < sent[i] {
			t.Errorf("seed %d: %d messages sent, %d arrived, %d after a goodbye", seed, sent[i], got, late)
		}
		x.wantSlots(1, 0)
		x.wantCount(actors.FramesMalformed, 0)
		x.wantCount(actors.DowngradesRefused, 0)
	}
}
