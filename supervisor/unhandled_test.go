package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// withoutOnMessage removes the node's message handler. Only before peers connect.
func (n *testNode) withoutOnMessage() *testNode {
	n.bus.onMessage = nil
	return n
}

// refusals sends messages to the only peer and returns the number of errors that it answers with.
func (n *testNode) refusals(messages ...*wire.Message) (count int) {
	before := len(n.got(wire.MsgError))
	for _, msg := range messages {
		if err := n.Send(n.onlyPeer(), msg); err != nil {
			n.t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	return len(n.got(wire.MsgError)) - before
}

func (n *testNode) onlyPeer() string {
	for c := range n.Connections() {
		return c.Peer().ID
	}
	return ""
}

// Each request type of deployed applications is answered with the error 1003, and no other message.
func TestUnhandledRequestsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2).withoutOnMessage()
		a.dial(b)
		for _, kind := range []wire.MessageType{
			wire.MsgGetStats, wire.MsgGetLogs, wire.MsgStartMiner, wire.MsgStopMiner, wire.MsgDeploy,
		} {
			began := time.Now()
			_, err := a.Request(b.id(), a.to(b.id(), kind, nil))
			var remote *wire.RemoteError
			if !errors.As(err, &remote) || remote.Code != wire.ErrCodeNotFound || time.Since(began) != 0 {
				t.Errorf("%s: %v after %v", kind, err, time.Since(began))
			}
		}
		reply := a.to(b.id(), wire.MsgGetStats, nil)
		reply.ReplyTo = "another"
		relayed := a.to(b.id(), wire.MsgGetStats, nil)
		relayed.From = "another"
		if got := a.refusals(a.to(b.id(), "get_weather", nil), a.to(b.id(), wire.MsgStats, nil), reply, relayed,
			a.to("", wire.MsgGetStats, nil), a.to("another", wire.MsgGetStats, nil)); got != 0 {
			t.Errorf("%d answers to other types, a reply, a broadcast, requests to and of another node", got)
		}
	})
}

// A handler of the type, OnMessage or a subscribed actor can answer: the node is silent.
func TestHandledRequestsAreNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2).withoutOnMessage()
		a.dial(b)
		request := func() *wire.Message { return a.to(b.id(), wire.MsgGetStats, nil) }
		b.Handle(wire.MsgGetStats, func(*PeerConnection, *wire.Message) (*wire.Message, error) { return nil, nil })
		if got := a.refusals(request()); got != 0 {
			t.Error("refused in spite of a handler of the type")
		}
		b.Handle(wire.MsgGetStats, nil)
		if got := a.refusals(request()); got != 1 {
			t.Error("not refused without the handler")
		}
		pid := b.opts.system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
		order[*Subscribed](t, b, &Subscribe{PID: pid})
		if got := a.refusals(request()); got != 0 {
			t.Error("refused in spite of a subscriber")
		}
		order[*Unsubscribed](t, b, &Unsubscribe{PID: pid})
		if got := a.refusals(request()); got != 1 {
			t.Error("not refused without the subscriber")
		}
		c := startNode(t, n, 3) // with OnMessage
		a.dial(c)
		if got := len(a.got(wire.MsgError)); a.Send(c.id(), a.to(c.id(), wire.MsgGetStats, nil)) != nil ||
			len(c.got(wire.MsgGetStats)) != 1 || len(a.got(wire.MsgError)) != got {
			t.Error("refused in spite of OnMessage")
		}
	})
}
