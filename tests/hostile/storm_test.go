package hostile

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

const (
	stormConns = 100
	stormEvery = 100 * time.Millisecond
	stormKills = 100
	stormTime  = time.Minute // limit; ten seconds on a fast machine
)

// storm is a node with a hundred peers that send messages and reconnect, while random actors are killed.
type storm struct {
	n      *node
	system *actor.ActorSystem
	ctx    context.Context
	work   sync.WaitGroup

	sent, lost atomic.Int64 // messages of the peers; connections
}

// TestKillStormLeavesTheNodeWorking kills a random actor every 100 ms, 100 times, under load. Then 100 new connections
// work.
func TestKillStormLeavesTheNodeWorking(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(context.Background(), stormTime)
	defer stop()
	s := &storm{ctx: ctx, system: actors.NewSystem()}
	s.n = nodetest.Start(t, nodetest.Options{
		Config:  func(c *supervisor.TransportConfig) { c.MaxConns = stormConns },
		Options: []supervisor.Option{supervisor.WithActorSystem(s.system)},
	})
	for range stormConns {
		s.work.Go(func() { s.peer(identityOrNil()) })
	}
	s.work.Go(s.broadcasts)
	kills := s.kills()
	stop()
	s.work.Wait()
	t.Logf("%d kills, %d connections lost, %d messages received of %d sent, %d broadcast to peers",
		kills, s.lost.Load(), s.n.Counter("messagesReceived"), s.sent.Load(), s.n.Counter("messagesSent"))
	if kills != stormKills || s.lost.Load() < int64(kills)/2 {
		t.Errorf("%d kills cut %d connections: the storm was none", kills, s.lost.Load())
	}

	s.n.AwaitConnections(0, 0)
	for range stormConns {
		join(s.n, refpeer.Options{}).say("hello", nil)
	}
	if got := s.n.Connections(); got.Established != stormConns || got.Pending != 0 {
		t.Errorf("after the storm: %+v, want %d established", got, stormConns)
	}
}

// identityOrNil returns an identity, for goroutines that cannot end the test.
func identityOrNil() *refpeer.Identity { id, _ := refpeer.New("storm"); return id }

// peer sends and reconnects until the storm is over.
func (s *storm) peer(self *refpeer.Identity) {
	for s.ctx.Err() == nil {
		conn, err := refpeer.Dial(s.ctx, s.n.URL(), refpeer.Options{Identity: self, CountOnly: true})
		if err != nil {
			continue // the node has not freed the last connection yet
		}
		s.talk(conn)
		conn.Close()
	}
}

// talk sends messages until the connection or the storm ends.
func (s *storm) talk(conn *refpeer.Conn) {
	ticker := time.NewTicker(stormEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if _, err := conn.Send("storm", "", "words"); err == nil {
				s.sent.Add(1)
			}
		case <-conn.Done():
			s.lost.Add(1)
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// broadcasts sends to all peers until the storm is over.
func (s *storm) broadcasts() {
	ticker := time.NewTicker(stormEvery)
	defer ticker.Stop()
	for s.ctx.Err() == nil {
		msg, err := wire.NewMessage("storm", s.n.ID(), "", "words")
		if err == nil {
			err = s.n.BroadcastContext(s.ctx, msg).Refused
		}
		if err != nil && s.ctx.Err() == nil {
			s.n.T.Errorf("broadcast: %v", err)
		}
		<-ticker.C
	}
}

// kills ends a random actor at each tick, in each of the ways in which actors end. It returns the number of kills, less
// than stormKills if the time is over.
func (s *storm) kills() (kills int) {
	ticker := time.NewTicker(stormEvery)
	defer ticker.Stop()
	for kills < stormKills {
		select {
		case <-s.ctx.Done():
			return kills
		case <-ticker.C:
		}
		var all []*supervisor.PeerConnection
		for c := range s.n.Transport.Connections() {
			all = append(all, c)
		}
		if len(all) == 0 {
			continue
		}
		c := all[rand.IntN(len(all))]
		kills++
		switch kills % 4 {
		case 0:
			s.system.Root.Stop(c.PID())
		case 1:
			s.system.Root.Poison(c.PID())
		case 2:
			if err := s.n.Faults.Crash(c); err != nil {
				s.n.T.Error(err)
			}
		case 3: // the registry, while a connection ends
			s.system.Root.Stop(c.PID())
			s.system.Root.Send(s.n.PID(), (*supervisor.Broadcast)(nil))
		}
	}
	return kills
}
