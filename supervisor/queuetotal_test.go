package supervisor

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Peers that read nothing hold at most QueueTotalBytes together. A broadcast misses none of the others meanwhile, and
// the peers that read nothing are closed as slow.
func TestSlowReadersShareTheQueueTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow, messages, size, total = 6, 300, 64 << 10, 16 << 20
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns, s.cfg.Pacing, s.cfg.QueueTotalBytes = 8, PacingOff, total
		})
		unlimited := func(s *nodeSetup) { s.cfg.RateRefill = 0 }
		honest := startNode(t, n, 2, unlimited)
		honest.dial(node)
		for i := range slow {
			peer := startNode(t, n, 3+i, unlimited)
			peer.dial(node)
			n.Stall(node.host.IP(), peer.host.IP())
		}
		most, refused := 0, 0
		for i := range messages {
			msg := node.to("", "all", fmt.Sprint(i, strings.Repeat("x", size)))
			for _, f := range node.Broadcast(msg).Failed {
				if refused++; f.Peer == honest.id() {
					t.Errorf("message %d: %v", i, f.Err)
				}
			}
			time.Sleep(time.Millisecond)
			sum := 0
			for c := range node.Connections() {
				_, bytes := c.Queued()
				sum += bytes
			}
			most = max(most, sum)
		}
		if got := len(honest.got("all")); got != messages {
			t.Errorf("the honest peer got %d of %d messages", got, messages)
		}
		if most > total || most < total*3/4 || refused == 0 {
			t.Errorf("at most %d bytes were queued and %d messages refused, want 12 to 16 MiB", most, refused)
		}
		time.Sleep(15 * time.Second)
		node.wantCount(actors.SlowPeersClosed, slow)
		if got := node.queues.Used(); got != 0 {
			t.Errorf("%d bytes of the pool are used at the end, want 0", got)
		}
	})
}
