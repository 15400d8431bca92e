package clusterlab

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	engines "github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/natsbus"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/wire"
)

// BenchmarkSendAcrossMembers measures Transport.SendContext of messages of 128 bytes at one member to a peer of another
// one: through the embedded NATS of both, on loopback, to the real connection of the peer. Each caller waits for the
// result before it sends the next message. The peer is in this process. The other member is in this process, too, or
// is a node binary; then cpu-µs/msg counts this process, and home-cpu-µs/msg the other one.
func BenchmarkSendAcrossMembers(b *testing.B) {
	for _, processes := range []int{1, 2} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("processes=%d/callers=%d", processes, callers), func(b *testing.B) {
				benchSend(b, processes, callers)
			})
		}
	}
}

// pair is a member of this process, and a peer of another member.
type pair struct {
	sender *supervisor.Transport
	home   int // process ID of the other member
	peer   string
}

func newPair(b *testing.B, processes int) *pair {
	b.Helper()
	c := newCluster(b, "a", "b")
	p := &pair{home: os.Getpid()}
	if processes == 1 {
		c.startHere("b")
	} else {
		c.start("b")
		p.home = c.members["b"].PID()
	}
	p.sender = c.startHere("a")
	peer := startNode(b, nodetest.Options{Name: "peer", Config: func(cfg *supervisor.TransportConfig) {
		cfg.ListenAddr, cfg.Peers, cfg.RateRefill = "", []string{c.listen["b"]}, 0
	}})
	p.peer = peer.Identity().ID
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		msg, err := wire.NewMessage("bench", p.sender.Identity().ID, p.peer, "first")
		if err == nil {
			err = p.sender.SendContext(context.Background(), p.peer, msg)
		}
		if err == nil {
			return p
		}
		if time.Since(began) > patience {
			b.Fatal(err)
		}
	}
}

// startHere starts a member in this process.
func (c *cluster) startHere(name string) *supervisor.Transport {
	c.t.Helper()
	keys, err := crypto.NewNodeManagerFile(c.identity)
	if err != nil {
		c.t.Fatal(err)
	}
	id, quiet := keys.Identity().ID, slog.New(slog.DiscardHandler)
	bus, err := natsbus.Serve(natsbus.EmbeddedOptions{
		NodeID: id, Key: keys.ClusterKey, Listen: c.joins[name], Join: []string{c.joins["b"]}, Log: quiet,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(bus.Close)
	engine := engines.New(bus, engines.Options{
		Name: name, NodeID: id, Boot: uint64(time.Now().UnixNano()), Log: quiet,
	})
	return startNode(c.t, nodetest.Options{
		Keys: keys, Options: []supervisor.Option{supervisor.WithCluster(engine)},
		Config: func(cfg *supervisor.TransportConfig) { cfg.ListenAddr = c.listen[name] },
	})
}

// startNode runs a node in this process until the test ends.
func startNode(t testing.TB, o nodetest.Options) *supervisor.Transport {
	t.Helper()
	node, err := nodetest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop() })
	return node
}

func benchSend(b *testing.B, processes, callers int) {
	p := newPair(b, processes)
	times := make([][]time.Duration, callers)
	var sent atomic.Int64
	var work sync.WaitGroup
	here, home := cpuTime(os.Getpid()), cpuTime(p.home)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range callers {
		work.Go(func() {
			for sent.Add(1) <= int64(b.N) {
				began := time.Now()
				msg, err := wire.NewMessage("bench", p.sender.Identity().ID, p.peer, strings.Repeat("x", 128))
				if err == nil {
					err = p.sender.SendContext(context.Background(), p.peer, msg)
				}
				if err != nil {
					b.Error(err)
				}
				times[i] = append(times[i], time.Since(began))
			}
		})
	}
	work.Wait()
	b.StopTimer()
	all := slices.Concat(times...)
	slices.Sort(all)
	perMessage := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	b.ReportMetric(perMessage(cpuTime(os.Getpid())-here), "cpu-µs/msg")
	if processes > 1 {
		b.ReportMetric(perMessage(cpuTime(p.home)-home), "home-cpu-µs/msg")
	}
}
