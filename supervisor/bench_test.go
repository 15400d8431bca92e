package supervisor

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// benchPair returns two transports of one process, connected over loopback, and a counter of messages that the first
// one's handler has received. All limits except the rate limit are on. prepare may fill the first one's book.
func benchPair(tb testing.TB, prepare ...func(*PeerRegistry)) (to, from *Transport, got *atomic.Int64) {
	tb.Helper()
	got = new(atomic.Int64)
	up := make(chan struct{}, 2)
	start := func(name string, book *PeerRegistry, peers ...string) *Transport {
		keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
		if err != nil {
			tb.Fatal(err)
		}
		cfg := DefaultTransportConfig()
		cfg.ListenAddr, cfg.Peers, cfg.RateRefill = "127.0.0.1:0", peers, 0
		t, err := NewTransport(keys, book, cfg)
		if err != nil {
			tb.Fatal(err)
		}
		t.OnEvent(func(e Event) {
			if _, ok := e.(PeerUp); ok {
				select {
				case up <- struct{}{}:
				default: // another peer
				}
			}
		})
		t.OnMessage(func(_ *PeerConnection, m *wire.Message) {
			if m.Type == wire.MsgChat {
				got.Add(1)
			}
		})
		if err := t.Start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = t.Stop() })
		return t
	}
	book := NewPeerRegistry()
	for _, fill := range prepare {
		fill(book)
	}
	to = start("to", book)
	from = start("from", NewPeerRegistry(), to.Addr().String())
	<-up
	<-up
	return to, from, got
}

// BenchmarkOneWay includes the construction of the messages.
func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{64, 256, 1024, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			to, from, got := benchPair(b)
			c := connection(b, from, to)
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += 256 {
				post(b, c, prepared(b, from, to, min(256, b.N-done), size))
			}
			awaitCount(b, got, int64(b.N))
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
