package supervisor_test

import (
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// newNode makes a node with an identity that is never stored.
func newNode(name string, options ...supervisor.Option) *supervisor.Transport {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		log.Fatal(err)
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0" // any free port
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg, options...)
	if err != nil {
		log.Fatal(err)
	}
	return node
}

// Two nodes in one process. The second dials the first and sends it a message.
func Example() {
	alice, bob := newNode("alice"), newNode("bob")
	done := make(chan struct{})
	alice.OnMessage(func(from *supervisor.PeerConnection, msg *wire.Message) {
		if msg.Type == "greeting" {
			fmt.Printf("%s says %s\n", from.Peer().Name, msg.Payload)
			close(done)
		}
	})
	for _, node := range []*supervisor.Transport{alice, bob} {
		if err := node.Start(); err != nil {
			log.Fatal(err)
		}
		defer node.Stop()
	}
	peer, err := bob.Connect(&supervisor.Peer{Address: alice.Addr().String(), ID: alice.Identity().ID})
	if err != nil {
		log.Fatal(err)
	}
	msg, err := wire.NewMessage("greeting", bob.Identity().ID, peer.Peer().ID, "hello")
	if err != nil {
		log.Fatal(err)
	}
	if err := peer.Send(msg); err != nil {
		log.Fatal(err)
	}
	<-done
	// Output: bob says "hello"
}

// A program built of actors: the nodes run in its actor system, and it uses them by messages only.
func Example_messages() {
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	alice, bob := newNode("alice", supervisor.WithActorSystem(system)), newNode("bob", supervisor.WithActorSystem(system))
	for _, node := range []*supervisor.Transport{alice, bob} {
		if err := node.Start(); err != nil {
			log.Fatal(err)
		}
		defer node.Stop()
	}
	done := make(chan struct{})
	reader := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if event, ok := ctx.Message().(supervisor.Received); ok && event.Message.Type == "greeting" {
			fmt.Printf("%s says %s\n", event.Connection.Peer().Name, event.Message.Payload)
			close(done)
		}
	}))
	ask := func(node *supervisor.Transport, message any) any {
		answer, err := system.Root.RequestFuture(node.PID(), message, 10*time.Second).Result()
		if err != nil {
			log.Fatal(err)
		}
		return answer
	}
	ask(alice, &supervisor.Subscribe{PID: reader})
	connected := ask(bob, &supervisor.Connect{Address: alice.Addr().String()}).(*supervisor.Connected)
	if connected.Err != nil {
		log.Fatal(connected.Err)
	}
	to := connected.Connection.Peer().ID
	msg, err := wire.NewMessage("greeting", bob.Identity().ID, to, "hello")
	if err != nil {
		log.Fatal(err)
	}
	if sent := ask(bob, &supervisor.Send{Peer: to, Message: msg}).(*supervisor.Sent); sent.Err != nil {
		log.Fatal(sent.Err)
	}
	<-done
	// Output: bob says "hello"
}
