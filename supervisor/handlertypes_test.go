package supervisor

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// ping, pong and disconnect reach the program only through a handler of their own, or Subscribe.All.
func TestOwnTypesReachOnlyTheirHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		own := []wire.MessageType{wire.MsgPing, wire.MsgPong, wire.MsgDisconnect}
		for _, kind := range own {
			b.Handle(kind, nil)
		}
		plain, all := &typeLog{}, &typeLog{}
		for log, every := range map[*typeLog]bool{plain: false, all: true} {
			pid := b.opts.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return log }))
			order[*Subscribed](t, b, &Subscribe{PID: pid, All: every})
		}
		a.dial(b)
		if _, err := b.Request(a.id(), b.to(a.id(), wire.MsgPing, wire.PingPayload{})); err != nil {
			t.Fatal(err)
		}
		if err := a.Disconnect(context.Background(), b.id(), false); err != nil {
			t.Fatal(err)
		}
		for _, kind := range own {
			if k := len(b.got(kind)); k != 0 {
				t.Errorf("OnMessage got %d %s", k, kind)
			}
			if !slices.Contains(a.typesGot(), kind) && kind != wire.MsgDisconnect {
				t.Errorf("a handler of %s was not called", kind)
			}
		}
		if len(plain.types) != 0 {
			t.Errorf("a subscriber got %q, want none", plain.types)
		}
		slices.Sort(all.types)
		if got := slices.Compact(all.types); !slices.Equal(got, []wire.MessageType{"disconnect", "ping", "pong"}) {
			t.Errorf("a subscriber with All got %q", got)
		}
	})
}

// typeLog is an actor that records the types of the messages it receives.
type typeLog struct{ types []wire.MessageType }

func (l *typeLog) Receive(ctx actor.Context) {
	if e, ok := ctx.Message().(Received); ok {
		l.types = append(l.types, e.Message.Type)
	}
}

// typesGot returns the types of the recorded messages.
func (n *testNode) typesGot() (types []wire.MessageType) {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, msg := range n.messages {
		types = append(types, msg.Type)
	}
	return types
}

func TestConnectionMakesMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		ahead := func() time.Time { return time.Now().Add(time.Minute) }
		a := startNode(t, n, 1, func(s *nodeSetup) { s.options = []Option{WithClock(ahead)} })
		b := startNode(t, n, 2)
		c := a.dial(b)
		msg, err := c.NewMessage("note", "text")
		if err != nil {
			t.Fatal(err)
		}
		if msg.From != a.id() || msg.To != b.id() || msg.Type != "note" || string(msg.Payload) != `"text"` ||
			!msg.Timestamp.Equal(ahead()) || msg.Timestamp.Location() != time.UTC {
			t.Errorf("made %+v", msg)
		}
		if err := c.Send(msg); err != nil || !slices.Equal(b.got("note"), []string{msg.ID}) {
			t.Errorf("sending it: %v", err)
		}
		if _, err := c.NewMessage("", nil); err == nil {
			t.Error("a message without a type was made")
		}
	})
}
