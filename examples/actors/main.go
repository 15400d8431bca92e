// Command actors keeps a score of each peer in an actor. The actor and the nodes exchange messages only.
package main

import (
	"fmt"
	"log"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

func main() {
	system, done := actor.NewActorSystem(), make(chan struct{})
	alice, bob := start("alice", system), start("bob", system)
	defer alice.Stop()
	defer bob.Stop()
	score := map[string]int{} // by node ID; only the actor uses it, so it needs no lock
	scores := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(supervisor.Received); ok && e.Message.Type == "point" {
			peer := e.Connection.Peer()
			score[peer.ID]++
			fmt.Println(peer.Name, "has", score[peer.ID])
			if score[peer.ID] == 3 {
				close(done)
			}
		}
	}))
	ask(system, alice, &supervisor.Subscribe{PID: scores}) // before peers connect
	connected := ask(system, bob, &supervisor.Connect{Address: alice.Addr().String()}).(*supervisor.Connected)
	check(connected.Err)
	for range 3 {
		to := connected.Connection.Peer().ID
		msg, err := wire.NewMessage("point", bob.Identity().ID, to, nil)
		check(err)
		check(ask(system, bob, &supervisor.Send{Peer: to, Message: msg}).(*supervisor.Sent).Err)
	}
	<-done
}

func start(name string, system *actor.ActorSystem) *supervisor.Transport {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	check(err)
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0" // any free port
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg, supervisor.WithActorSystem(system))
	check(err)
	check(node.Start())
	return node
}

func ask(system *actor.ActorSystem, node *supervisor.Transport, msg any) any {
	reply, err := system.Root.RequestFuture(node.PID(), msg, 10*time.Second).Result()
	check(err)
	return reply
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
