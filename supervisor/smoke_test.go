package supervisor

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

func TestSmoke(t *testing.T) {
	mk := func(name string, peers ...string) (*Transport, chan *wire.Message, chan Event) {
		nm, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
		if err != nil {
			t.Fatal(err)
		}
		cfg := DefaultTransportConfig()
		cfg.ListenAddr = "127.0.0.1:0"
		cfg.Peers = peers
		tr, err := NewTransport(nm, NewPeerRegistry(), cfg, WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
		if err != nil {
			t.Fatal(err)
		}
		msgs := make(chan *wire.Message, 100)
		evs := make(chan Event, 100)
		tr.OnMessage(func(c *PeerConnection, m *wire.Message) { msgs <- m })
		tr.OnEvent(func(e Event) { t.Logf("%s: %T %+v", name, e, e); evs <- e })
		if err := tr.Start(); err != nil {
			t.Fatal(err)
		}
		return tr, msgs, evs
	}
	a, am, _ := mk("a")
	b, _, be := mk("b", a.Addr().String())
	<-be
	m, _ := wire.NewMessage("chat", b.Identity().ID, a.Identity().ID, "hi")
	if err := b.Send(a.Identity().ID, m); err != nil {
		t.Fatal(err)
	}
	for got := range am {
		t.Log(got.Type, string(got.Payload))
		if got.Type == "chat" {
			break
		}
	}
	ping, _ := wire.NewMessage("ping", a.Identity().ID, b.Identity().ID, wire.PingPayload{})
	r, err := a.Request(b.Identity().ID, ping)
	t.Log(r, err)
	ctx, c := context.WithTimeout(context.Background(), 5*time.Second)
	defer c()
	st, err := a.Status(ctx)
	t.Log(st, err)
	t.Log(b.Stop(ctx))
	t.Log(a.Stop(ctx))
}
