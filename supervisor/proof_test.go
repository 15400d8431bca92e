package supervisor

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// stuckLog blocks the registry when it logs a refused connection, until the test releases it.
type stuckLog struct {
	slog.Handler
	release chan struct{}
}

func (l stuckLog) Enabled(context.Context, slog.Level) bool { return true }

func (l stuckLog) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "connection refused") {
		<-l.release
	}
	return nil
}

// Two connections claim one peer. The owner of the key proves it while the registry is busy. A handler that answers the
// proving message reaches the owner, not the connection that opened first.
func TestAnswerToProofReachesTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys, err := crypto.NewEphemeralNodeManager("victim", crypto.RoleDual)
		if err != nil {
			t.Fatal(err)
		}
		log := stuckLog{slog.DiscardHandler, make(chan struct{})}
		var node *testNode
		node = startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns = 2
			s.options = append(s.options, WithLogger(slog.New(log)))
			s.handler = func(c *PeerConnection, msg *wire.Message) {
				if msg.Type != wire.MsgPing {
					return
				}
				if err := node.Send(c.Peer().ID, node.to(c.Peer().ID, "answer", nil)); err != nil || !c.Verified() {
					t.Errorf("answering a %s of a peer that is proven (%v): %v", msg.Type, c.Verified(), err)
				}
			}
		})
		// Messages after the handshake are held back, so both connections are unverified.
		unverified := func(number int, ip string) *testNode {
			p := startNode(t, n, number, func(s *nodeSetup) { s.keys = keys })
			n.SetLatency(ip, "10.0.0.1", 100*time.Millisecond)
			p.dial(node)
			n.Stall(ip, "10.0.0.1")
			return p
		}
		first, owner := unverified(2, "10.0.0.2"), unverified(3, "10.0.0.3")
		node.wantSlots(2, 0)
		third, refused := startNode(t, n, 4), make(chan error, 1)
		go func() {
			_, err := third.Connect(&Peer{Address: node.addr})
			refused <- err
		}()
		synctest.Wait()
		n.Resume("10.0.0.3", "10.0.0.1")
		time.Sleep(time.Second)
		if got := len(first.got("answer")); got != 0 {
			t.Errorf("%d answers went to the one that proved nothing", got)
		}
		close(log.release)
		if err := <-refused; err == nil {
			t.Error("the registry was not busy: nothing was tested")
		}
		if a, b := len(first.got("answer")), len(owner.got("answer")); a != 0 || b != 1 {
			t.Errorf("%d answers to the one that proved nothing and %d to the owner, want 0 and 1", a, b)
		}
		node.mu.Lock()
		defer node.mu.Unlock()
		want := PeerVerified{Peer: keys.Identity().ID, Name: "victim"}
		if last := node.events[len(node.events)-1]; last != want {
			t.Errorf("events %+v, want %+v last", node.events, want)
		}
	})
}

// The registry panics when it handles a proof: the messages behind the proof are delivered nevertheless.
func TestProofSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var armed atomic.Bool
		clock := WithClock(func() time.Time {
			if armed.Load() && strings.Contains(string(debug.Stack()), "onVerified") {
				armed.Store(false)
				runtime.Goexit() // a panic of the clock would come too late
			}
			return time.Now()
		})
		node := startNode(t, n, 1, func(s *nodeSetup) { s.options = append(s.options, clock) })
		other := startNode(t, n, 2)
		n.SetLatency("10.0.0.2", "10.0.0.1", time.Second)
		armed.Store(true)
		c := other.dial(node)
		if err := c.Send(other.to(node.id(), "stats", nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		node.wantCount(actors.ActorRestarts, 1)
		if got := len(node.got("stats")); got != 1 || !node.GetConnection(other.id()).Verified() {
			t.Errorf("%d messages handled, want 1", got)
		}
	})
}
