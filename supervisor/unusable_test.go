package supervisor

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// wantAnswer sends a message to the registry and checks that the answer has the right type and an error.
func wantAnswer(t *testing.T, n *testNode, message, want any) error {
	t.Helper()
	got := order[any](t, n, message)
	if reflect.TypeOf(got) != reflect.TypeOf(want) {
		t.Errorf("%T was answered with %T, want %T", message, got, want)
		return nil
	}
	err, _ := reflect.ValueOf(got).Elem().FieldByName("Err").Interface().(error)
	if err == nil {
		t.Errorf("%T %v was answered without an error", message, message)
	}
	return err
}

// Every message that the registry cannot process is answered with an error and causes no panic.
func TestRegistryAnswersUnusableMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		for _, c := range []struct{ message, answer any }{
			{(*Send)(nil), &Sent{}},
			{Send{}, &Sent{}},
			{&Send{}, &Sent{}},
			{&Send{Peer: b.id()}, &Sent{}},
			{(*Broadcast)(nil), &Broadcasted{}},
			{Broadcast{}, &Broadcasted{}},
			{&Broadcast{}, &Broadcasted{}},
			{(*Subscribe)(nil), &Subscribed{}},
			{Subscribe{}, &Subscribed{}},
			{&Subscribe{}, &Subscribed{}},
			{(*Unsubscribe)(nil), &Unsubscribed{}},
			{Unsubscribe{}, &Unsubscribed{}},
			{&Unsubscribe{}, &Unsubscribed{}},
			{(*Connect)(nil), &Connected{}},
			{Connect{}, &Connected{}},
			{&Connect{}, &Connected{}},
			{(*Disconnect)(nil), &Disconnected{}},
			{Disconnect{}, &Disconnected{}},
			{&Disconnect{}, &Disconnected{}},
			{(*DisconnectConnection)(nil), &ConnectionEnding{}},
			{DisconnectConnection{}, &ConnectionEnding{}},
			{&DisconnectConnection{}, &ConnectionEnding{}},
			{(*Request)(nil), &Replied{}},
			{Request{}, &Replied{}},
			{&Request{}, &Replied{}},
			{&Request{Peer: b.id()}, &Replied{}},
			{(*Peers)(nil), &PeerList{}},
			{Peers{}, &PeerList{}},
			{(*Status)(nil), &StatusReport{}},
			{Status{}, &StatusReport{}},
			{(*Allow)(nil), &Allowed{}},
			{Allow{}, &Allowed{}},
			{&Allow{Keys: make([]crypto.PublicKey, 1)}, &Allowed{}},
			{(*Revoke)(nil), &Revoked{}},
			{Revoke{}, &Revoked{}},
			{(*SetAuthMode)(nil), &AuthModeSet{}},
			{SetAuthMode{}, &AuthModeSet{}},
			{"text", &Failed{}},
			{&wire.Message{}, &Failed{}},
			{(*wire.Message)(nil), &Failed{}},
			{(*actors.Ended)(nil), &Failed{}},
			{actors.Ended{}, &Failed{}},
			{(*getCounts)(nil), &Failed{}},
		} {
			_ = wantAnswer(t, a, c.message, c.answer)
		}
		a.wantCount(actors.ActorRestarts, 0)
		a.wantSlots(1, 0)
	})
}

// A program whose actor system outlives the transport gets ErrStopped from its PID, in the answer type of each message.
func TestStoppedRegistryAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actors.NewSystem()
		a := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} })
		a.stop()
		for _, c := range []struct{ message, answer any }{
			{&Send{}, &Sent{}},
			{&Broadcast{}, &Broadcasted{}},
			{&Subscribe{}, &Subscribed{}},
			{&Unsubscribe{}, &Unsubscribed{}},
			{&Connect{}, &Connected{}},
			{&Disconnect{}, &Disconnected{}},
			{&DisconnectConnection{}, &ConnectionEnding{}},
			{&Request{}, &Replied{}},
			{&Peers{}, &PeerList{}},
			{&Status{}, &StatusReport{}},
			{&Allow{}, &Allowed{}},
			{&Revoke{}, &Revoked{}},
			{&SetAuthMode{}, &AuthModeSet{}},
			{"text", &Failed{}},
			{Send{}, &Sent{}}, // a value
			{(*Request)(nil), &Replied{}},
		} {
			if err := wantAnswer(t, a, c.message, c.answer); !errors.Is(err, ErrStopped) {
				t.Errorf("%T: %v, want ErrStopped", c.message, err)
			}
		}
		gone := make(chan *actor.Terminated, 1)
		watcher := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch msg := ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(a.PID())
			case *actor.Terminated:
				gone <- msg
			}
		}))
		<-gone
		system.Root.Stop(watcher)
	})
}
