package natsbus

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/wire"
)

// BenchmarkForward measures messages of 128 bytes to a peer of another member, between two engines: over membus, and
// over two embedded servers on loopback in one process. Each caller waits for the result before it sends the next
// message. The home takes each message at once: the connection to the peer is not part of the figures.
func BenchmarkForward(b *testing.B) {
	buses := map[string]func(b *testing.B) []cluster.Bus{
		"membus": func(*testing.B) []cluster.Bus {
			net := membus.New(1)
			return []cluster.Bus{net.Bus("a"), net.Bus("b")}
		},
		"nats": natsPair,
	}
	for _, name := range []string{"membus", "nats"} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				benchForward(b, benchEngine(b, buses[name](b)), callers)
			})
		}
	}
}

func natsPair(b *testing.B) []cluster.Bus {
	key, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		b.Fatal(err)
	}
	var buses []cluster.Bus
	var join []string
	for range 2 {
		bus, err := Serve(EmbeddedOptions{
			NodeID: "node", Key: key.ClusterKey, Listen: "127.0.0.1:0", Join: join,
			Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(bus.Close)
		buses, join = append(buses, bus), []string{bus.Address()}
	}
	return buses
}

// takeAll is a member that takes each message at once.
type takeAll struct{ supervisor.ClusterLocal }

func (takeAll) Load() (connections, limit int) { return 1, 1 }
func (takeAll) MembersChanged()                {}
func (takeAll) SeenWindow() time.Duration      { return time.Minute }
func (takeAll) Clock() time.Time               { return time.Now() }
func (takeAll) RecordDigest() uint64           { return 0 }
func (takeAll) Deliver(_ supervisor.Forwarding, done func(supervisor.Forwarded)) func() {
	done(supervisor.Forwarded{})
	return nil
}

// benchEngine starts two members with a peer at the second one, and returns the first one.
func benchEngine(b *testing.B, buses []cluster.Bus) *cluster.Engine {
	system := actors.NewSystem()
	var engines []*cluster.Engine
	for i, bus := range buses {
		e := cluster.New(bus, cluster.Options{
			Name: string(rune('a' + i)), NodeID: "node", Boot: uint64(i + 1), System: system,
			Log: slog.New(slog.DiscardHandler),
		})
		if err := e.Join(context.Background(), takeAll{}); err != nil {
			b.Fatal(err)
		}
		engines = append(engines, e)
	}
	b.Cleanup(func() {
		for _, e := range engines {
			e.Leave()
		}
		system.Shutdown()
	})
	engines[1].Claim(supervisor.Claim{Peer: "peer"}, func(supervisor.ClaimVerdict) {})
	for known := false; !known; time.Sleep(time.Millisecond) {
		_, known = engines[0].Home("peer")
	}
	return engines[0]
}

func benchForward(b *testing.B, engine *cluster.Engine, callers int) {
	times := make([][]time.Duration, callers)
	var sent atomic.Int64
	var work sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range callers {
		work.Go(func() {
			msg, err := wire.NewMessage("bench", "node", "peer", strings.Repeat("x", 128))
			if err != nil {
				b.Error(err)
				return
			}
			results := make(chan supervisor.Forwarded, 1)
			done := func(result supervisor.Forwarded) { results <- result }
			for sent.Add(1) <= int64(b.N) {
				began := time.Now()
				_, err := engine.Forward(supervisor.Forwarding{Peer: "peer", Message: msg}, done)
				if err == nil {
					err = (<-results).Err
				}
				if err != nil {
					b.Error(err)
				}
				times[i] = append(times[i], time.Since(began))
			}
		})
	}
	work.Wait()
	all := slices.Concat(times...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}
