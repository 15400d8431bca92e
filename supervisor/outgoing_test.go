package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Every method of sending refuses a message that the receiver would drop, and sends nothing.
func TestSendRefusesWhatReceiversRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1, unlimited), startNode(t, n, 2, unlimited)
		c := a.dial(b)
		for name, spoil := range map[string]func(*wire.Message){
			"empty id":       func(m *wire.Message) { m.ID = "" },
			"id of 65 bytes": func(m *wire.Message) { m.ID = strings.Repeat("i", 65) },
			"empty type":     func(m *wire.Message) { m.Type = "" },
			"handshake":      func(m *wire.Message) { m.Type = wire.MsgHandshake },
			"no time":        func(m *wire.Message) { m.Timestamp = time.Time{} },
			"zone of a day":  func(m *wire.Message) { m.Timestamp = m.Timestamp.In(time.FixedZone("", 24*3600)) },
			"no JSON":        func(m *wire.Message) { m.Payload = json.RawMessage("{") },
			"too deep": func(m *wire.Message) {
				m.Payload = json.RawMessage(strings.Repeat("[", 1e4) + strings.Repeat("]", 1e4))
			},
			"not UTF-8":          func(m *wire.Message) { m.To = "\xff" },
			"from the receiver":  func(m *wire.Message) { m.From = b.id() },
			"relayed disconnect": func(m *wire.Message) { m.From, m.Type = "other", wire.MsgDisconnect },
		} {
			msg := func() *wire.Message {
				m := a.to(b.id(), "stats", 1)
				spoil(m)
				return m
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, requested := a.RequestContext(ctx, b.id(), msg())
			cancel()
			sent, err := ask[*Sent](context.Background(), a.Transport, &Send{Peer: b.id(), Message: msg()})
			if err != nil {
				t.Fatal(err)
			}
			ways := map[string]error{
				"Send": a.Send(b.id(), msg()), "Post": c.Post(msg()), "Request": requested, "an actor's Send": sent.Err,
			}
			if name != "from the receiver" { // a broadcast skips the author
				ways["Broadcast"] = a.Broadcast(msg()).Err()
			}
			for way, err := range ways {
				if !errors.Is(err, ErrInvalidMessage) {
					t.Errorf("%s of a message with %s: %v", way, name, err)
				}
			}
		}
		synctest.Wait()
		if got := b.got("stats"); len(got) != 0 {
			t.Errorf("%d arrived, want 0", len(got))
		}
		if err := a.Send(b.id(), nil); err == nil {
			t.Error("nil was sent")
		}
		if relayed := a.to(b.id(), "stats", 1); true {
			relayed.From = "other"
			if err := a.Send(b.id(), relayed); err != nil {
				t.Errorf("a relayed message: %v", err)
			}
		}
	})
}
