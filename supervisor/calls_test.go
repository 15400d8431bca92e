package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

func TestCallsByMessageAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		b.Handle("double", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			return msg.Reply("doubled", nil)
		})
		msg := a.to(b.id(), "double", nil)
		got := order[*Replied](t, a, &Request{Peer: b.id(), Message: msg})
		if got.Err != nil || got.ID != msg.ID || got.Reply.ReplyTo != msg.ID || got.Reply.Type != "doubled" {
			t.Errorf("Request: %+v", got)
		}
		began, silent := time.Now(), a.to(b.id(), "silent", nil)
		got = order[*Replied](t, a, &Request{Peer: b.id(), Message: silent, Timeout: time.Second})
		if !errors.Is(got.Err, context.DeadlineExceeded) || got.ID != silent.ID || time.Since(began) != time.Second {
			t.Errorf("Request without a reply: %+v after %v", got, time.Since(began))
		}
		list := order[*PeerList](t, a, &Peers{})
		if list.Err != nil || len(list.Peers) != 1 || list.Peers[0].ID != b.id() || !list.Peers[0].Connected {
			t.Errorf("Peers: %+v", list)
		}
		status := order[*StatusReport](t, a, &Status{})
		if status.Err != nil || status.Status.Connections.Established != 1 || status.Status.Identity.ID != a.id() {
			t.Errorf("Status: %+v", status)
		}
		keys := []crypto.PublicKey{b.keys.PublicKey()}
		if allowed := order[*Allowed](t, a, &Allow{Keys: keys}); allowed.Err != nil || !a.book.Allowed(keys[0]) ||
			!slices.Equal(allowed.Keys, keys) {
			t.Errorf("Allow: %+v", allowed)
		}
		mode := order[*AuthModeSet](t, a, &SetAuthMode{Mode: PeerAuthAllowlist})
		if mode.Err != nil || mode.Mode != PeerAuthAllowlist || a.book.AuthMode() != PeerAuthAllowlist {
			t.Errorf("SetAuthMode: %+v", mode)
		}
		a.wantSlots(1, 0)
		if revoked := order[*Revoked](t, a, &Revoke{Keys: keys}); revoked.Err != nil || !slices.Equal(revoked.Keys, keys) {
			t.Errorf("Revoke: %+v", revoked)
		}
		a.wantSlots(0, 0)
		if bad := order[*AuthModeSet](t, a, &SetAuthMode{Mode: 99}); bad.Err == nil || bad.Mode != 99 {
			t.Errorf("SetAuthMode 99: %+v", bad)
		}
	})
}

// Changes of the allowlist take effect, and are answered, in the order of their messages.
func TestAuthMessagesKeepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		keys := []crypto.PublicKey{b.keys.PublicKey()}
		var answers []string
		pid := a.opts.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch msg := ctx.Message().(type) {
			case *actor.Started:
				for range 50 {
					ctx.Request(a.PID(), &Revoke{Keys: keys})
					ctx.Request(a.PID(), &Allow{Keys: keys})
				}
			case *Allowed:
				answers = append(answers, "allowed")
				if msg.Err != nil {
					t.Error(msg.Err)
				}
			case *Revoked:
				answers = append(answers, "revoked")
			}
		}))
		synctest.Wait()
		for i, got := range answers {
			if got != []string{"revoked", "allowed"}[i%2] {
				t.Fatalf("answer %d is %s", i+1, got)
			}
		}
		if len(answers) != 100 || !a.book.Allowed(keys[0]) || a.book.Revoked(keys[0]) {
			t.Errorf("%d answers; allowed %v, want 100 and the last change in force", len(answers), a.book.Allowed(keys[0]))
		}
		a.opts.system.Root.Stop(pid)
	})
}

// Each answer names its message.
func TestAnswersNameTheirMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		first, second := a.to(b.id(), "x", nil), a.to("", "x", nil)
		if got := order[*Sent](t, a, &Send{Peer: b.id(), Message: first}); got.ID != first.ID || got.Err != nil {
			t.Errorf("Send: %+v", got)
		}
		if got := order[*Sent](t, a, &Send{Peer: "other", Message: second}); got.ID != second.ID || got.Err == nil {
			t.Errorf("Send to an unknown peer: %+v", got)
		}
		if got := order[*Broadcasted](t, a, &Broadcast{Message: second}); got.ID != second.ID || got.Sent != 1 {
			t.Errorf("Broadcast: %+v", got)
		}
		if got := order[*Connected](t, a, &Connect{Address: b.addr}); got.Address != b.addr || got.Connection == nil {
			t.Errorf("Connect: %+v", got)
		}
		if got := order[*Connected](t, a, &Connect{Address: "?"}); got.Address != "?" || got.Err == nil {
			t.Errorf("Connect to no address: %+v", got)
		}
		pid := actor.NewPID("local", "x")
		if got := order[*Unsubscribed](t, a, &Unsubscribe{PID: pid}); got.PID != pid {
			t.Errorf("Unsubscribe: %+v", got)
		}
		if got := order[*Disconnected](t, a, &Disconnect{Peer: "other"}); got.Peer != "other" || got.Err == nil {
			t.Errorf("Disconnect: %+v", got)
		}
		if got := order[*ConnectionEnding](t, a, &DisconnectConnection{Connection: 77}); got.Number != 77 || got.Err == nil {
			t.Errorf("DisconnectConnection: %+v", got)
		}
		if got := order[*Failed](t, a, "text"); got.Message != "text" || got.Err == nil {
			t.Errorf("an unknown message: %+v", got)
		}
	})
}

// Messages that arrive before, while and after the registry stops are all answered.
func TestMessagesAreAnsweredDuringStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actors.NewSystem()
		a := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} })
		var senders sync.WaitGroup
		for range 20 {
			senders.Go(func() {
				for {
					result, err := system.Root.RequestFuture(a.PID(), &Disconnect{Peer: "x"}, time.Minute).Result()
					answer, ok := result.(*Disconnected)
					switch {
					case errors.Is(err, actor.ErrDeadLetter): // in the instant of the end
					case err != nil || !ok:
						t.Errorf("answered with %v, %v", result, err)
						return
					case errors.Is(answer.Err, ErrStopped):
						return
					}
				}
			})
		}
		a.stop()
		senders.Wait()
	})
}

// A stopped registry answers the messages that are left in its mailbox.
func TestLeftMessagesAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, ended := actors.NewSystem(), make(chan struct{})
		l := &leftovers{system: system, ended: ended}
		early, future := actor.NewFuture(system, time.Second), actor.NewFuture(system, time.Minute)
		send := &Send{Message: &wire.Message{ID: "id"}}
		l.MessageReceived(&actor.MessageEnvelope{Message: send, Sender: early.PID()}) // the registry runs and answers it
		if answer, err := early.Result(); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("answered before the stop with %+v, %v", answer, err)
		}
		left := &actor.MessageEnvelope{Message: send, Sender: future.PID()}
		close(ended)
		l.MessageReceived(&Send{}) // without a sender
		l.MessageReceived(left)
		result, err := future.Result()
		if sent, ok := result.(*Sent); err != nil || !ok || sent.ID != "id" || !errors.Is(sent.Err, ErrStopped) {
			t.Errorf("answered with %+v, %v", result, err)
		}
		time.Sleep(2 * time.Second) // the dead-letter throttle of the actor library
	})
}

// A request by message ends with the transport.
func TestRequestByMessageEndsWithTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actors.NewSystem()
		n := memnet.New(1)
		a, b := startNode(t, n, 1, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} }), startNode(t, n, 2)
		a.dial(b)
		msg := a.to(b.id(), "silent", nil)
		future := system.Root.RequestFuture(a.PID(), &Request{Peer: b.id(), Message: msg, Timeout: time.Hour}, time.Minute)
		synctest.Wait()
		a.stop()
		result, err := future.Result()
		if got, ok := result.(*Replied); err != nil || !ok || got.ID != msg.ID || !errors.Is(got.Err, ErrStopped) {
			t.Errorf("answered with %+v, %v", result, err)
		}
	})
}
