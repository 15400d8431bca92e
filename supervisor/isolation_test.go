package supervisor

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/memnet"
)

func TestTransportsShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var nodes []*testNode
		for i := range 4 {
			nodes = append(nodes, startNode(t, n, 1+i))
		}
		nodes[0].dial(nodes[1])
		if err := nodes[0].Send(nodes[1].id(), nodes[0].to(nodes[1].id(), "stats", nil)); err != nil {
			t.Fatal(err)
		}
		for _, other := range nodes[2:] {
			other.wantSlots(0, 0)
			for name, value := range other.node.Counters.Snapshot() {
				if value != 0 {
					t.Errorf("a node that does nothing counts %s = %d", name, value)
				}
			}
			if len(other.seen()) != 0 || len(other.book.List()) != 0 || other.dedup.Len() != 0 {
				t.Error("a node that does nothing has seen something")
			}
		}
		if fmt.Sprint(nodes[0].PID()) == fmt.Sprint(nodes[1].PID()) && nodes[0].opts.system == nodes[1].opts.system {
			t.Error("two nodes have one registry")
		}
	})
}

// A handler that answers PeerVerified with a message finds the route.
func TestSendOnVerifiedEventFindsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1)
		var lost atomic.Int64
		a.OnEvent(func(e Event) {
			var id string
			switch e := e.(type) {
			case PeerUp:
				if e.Verified {
					id = e.Peer
				}
			case PeerVerified:
				id = e.Peer
			}
			if id != "" && a.Send(id, a.to(id, "chat", "welcome")) != nil {
				lost.Add(1)
			}
		})
		const peers = 50
		for i := range peers {
			b := startNode(t, n, 2+i)
			b.dial(a)
			synctest.Wait()
			if len(b.got("chat")) != 1 {
				t.Errorf("peer %d got %d messages", i, len(b.got("chat")))
			}
		}
		if n := lost.Load(); n != 0 {
			t.Errorf("%d of %d messages could not be sent", n, peers)
		}
	})
}
