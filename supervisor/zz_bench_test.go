package supervisor

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
	"strings"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

func benchPair(b testing.TB) (x, y *Transport, got *atomic.Int64) {
	got = new(atomic.Int64)
	mk := func(name string, peers ...string) *Transport {
		nm, _ := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
		cfg := DefaultTransportConfig()
		cfg.ListenAddr = "127.0.0.1:0"
		cfg.Peers = peers
		cfg.RateRefill = 0
		cfg.DedupTTL = 2 * time.Second
		tr, err := NewTransport(nm, NewPeerRegistry(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		tr.OnMessage(func(c *PeerConnection, m *wire.Message) { got.Add(1) })
		if err := tr.Start(); err != nil {
			b.Fatal(err)
		}
		return tr
	}
	x = mk("x")
	y = mk("y", x.Addr().String())
	for y.GetConnection(x.Identity().ID) == nil {
		time.Sleep(time.Millisecond)
	}
	return
}

func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{64, 256, 1024, 16384} {
		b.Run(time.Duration(size).String(), func(b *testing.B) {
			x, y, got := benchPair(b)
			c := y.GetConnection(x.Identity().ID)
			text := strings.Repeat("x", size)
			b.ReportAllocs()
			b.ResetTimer()
			start := got.Load()
			for i := 0; i < b.N; i++ {
				m, _ := wire.NewMessage("chat", y.Identity().ID, x.Identity().ID, text)
				out, _ := actors.Encode(m)
				for {
					err := c.handle.Post(out)
					if err == nil {
						break
					}
					time.Sleep(100 * time.Microsecond)
				}
			}
			for got.Load()-start < int64(b.N) {
				time.Sleep(time.Millisecond)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			y.Stop(context.Background())
			x.Stop(context.Background())
		})
	}
}
