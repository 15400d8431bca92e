package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// benchPair returns two transports of one process that are connected over loopback, and counts what the first one's
// handler gets. Every limit but the rate limit is on.
func benchPair(b *testing.B) (to, from *Transport, got *atomic.Int64) {
	b.Helper()
	got = new(atomic.Int64)
	up := make(chan struct{}, 2)
	make := func(name string, peers ...string) *Transport {
		keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
		if err != nil {
			b.Fatal(err)
		}
		cfg := DefaultTransportConfig()
		cfg.ListenAddr, cfg.Peers, cfg.RateRefill = "127.0.0.1:0", peers, 0
		t, err := NewTransport(keys, NewPeerRegistry(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		t.OnEvent(func(e Event) {
			if _, ok := e.(PeerUp); ok {
				up <- struct{}{}
			}
		})
		t.OnMessage(func(_ *PeerConnection, m *wire.Message) {
			if m.Type == wire.MsgChat {
				got.Add(1)
			}
		})
		if err := t.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = t.Stop(context.Background()) })
		return t
	}
	to = make("to")
	from = make("from", to.Addr().String())
	<-up
	<-up
	return to, from, got
}

func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{64, 256, 1024, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			to, from, got := benchPair(b)
			handle := from.GetConnection(to.Identity().ID).handle
			text := strings.Repeat("x", size)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				msg, err := wire.NewMessage(wire.MsgChat, from.Identity().ID, to.Identity().ID, text)
				if err != nil {
					b.Fatal(err)
				}
				out, err := from.node.Encode(msg)
				if err != nil {
					b.Fatal(err)
				}
				for err = handle.Post(out); errors.Is(err, ErrQueueFull); err = handle.Post(out) {
					runtime.Gosched()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			for got.Load() < int64(b.N) {
				runtime.Gosched()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	to, from, _ := benchPair(b)
	b.ReportAllocs()
	for b.Loop() {
		ping, err := wire.NewMessage(wire.MsgPing, from.Identity().ID, to.Identity().ID, wire.PingPayload{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := from.Request(to.Identity().ID, ping); err != nil {
			b.Fatal(err)
		}
	}
}
