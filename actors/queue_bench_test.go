package actors

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/wire"
)

type discard struct{}

func (discard) Do(any)                {}
func (discard) Message(*wire.Message) {}

// BenchmarkInbox measures one message on its way from the connection's actor to a handler, in batches of 1 and 64.
func BenchmarkInbox(b *testing.B) {
	for name, batch := range map[string]int{"alone": 1, "batch": 64} {
		b.Run(name, func(b *testing.B) {
			d := NewInbox(discard{}, &Counters{}, NewLimitedLogger(slog.New(slog.DiscardHandler)), &Activity{})
			d.deferMessages()
			msg, budget := &wire.Message{}, newBudget(1<<30, nil, nil)
			b.ReportAllocs()
			for i := range b.N {
				budget.take(100)
				d.message(msg, budget, 100)
				if i%batch == batch-1 && d.claim(d) {
					d.work()
				}
			}
		})
	}
}

// BenchmarkOutbox measures one frame of 100 bytes on its way from the connection's actor to a TCP socket, in batches of
// 1 and 64.
func BenchmarkOutbox(b *testing.B) {
	for name, batch := range map[string]int{"alone": 1, "batch": 64} {
		b.Run(name, func(b *testing.B) {
			box := newBoxed(1<<20, 1<<30)
			accepted := make(chan *socket.Conn)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if s, err := socket.Accept(w, r, openOptions()); err == nil {
					accepted <- s
				}
			}))
			defer server.Close()
			there, _, err := websocket.Dial(b.Context(), server.URL, nil)
			if err != nil {
				b.Fatal(err)
			}
			go func() {
				for {
					_, r, err := there.Reader(context.Background())
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r)
				}
			}()
			s := <-accepted
			defer s.Release()
			defer there.CloseNow()
			box.attach(s)
			box.deferred = true
			b.ReportAllocs()
			for i := range b.N {
				f := box.node.frames.get(100)
				f.data = f.data[:100]
				box.push(f)
				if i%batch == batch-1 && box.claim(box.outbox) {
					box.work()
				}
			}
		})
	}
}
