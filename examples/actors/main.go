// Command actors keeps a score of each peer in an actor that crashes and is right again after its restart.
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

type scores struct { // one value for each start of the actor: only this actor uses it, so it needs no lock
	node      *actor.PID
	points    map[string]int  // by node ID; the same map in each value, so that it survives a crash
	connected map[string]bool // by node ID; the node sends it to each new value
	lines     chan<- string
}

func (s *scores) Receive(ctx actor.Context) {
	switch e := ctx.Message().(type) {
	case *actor.Started: // also after a crash
		ctx.Request(s.node, &supervisor.Subscribe{PID: ctx.Self()})
	case *supervisor.Subscribed: // PeerUp and PeerDown continue from here
		clear(s.connected)
		for _, up := range e.Connected {
			s.connected[up.Peer] = true
		}
		s.lines <- fmt.Sprintln("subscribed,", len(s.connected), "connected")
	case supervisor.PeerUp:
		s.connected[e.Peer] = true
	case supervisor.PeerDown:
		delete(s.connected, e.Peer)
		s.lines <- fmt.Sprintln(e.Name, "left,", len(s.connected), "connected")
	case supervisor.Received:
		if e.Message.Type == "bug" {
			panic("a bug in this program")
		}
		peer := e.Connection.Peer()
		s.points[peer.ID]++
		s.lines <- fmt.Sprintln(peer.Name, "has", s.points[peer.ID], "-", len(s.connected), "connected")
	}
}

func main() {
	system, lines, points := actor.NewActorSystem(), make(chan string, 16), map[string]int{}
	alice, bob, carol := start("alice", system), start("bob", system), start("carol", system)
	system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &scores{alice.PID(), points, map[string]bool{}, lines}
	}))
	fmt.Print(<-lines)
	say := func(from *supervisor.Transport, kind wire.MessageType) {
		connected := ask(system, from, &supervisor.Connect{Address: alice.Addr().String()}).(*supervisor.Connected)
		check(connected.Err)
		msg, err := connected.Connection.NewMessage(kind, nil)
		check(err)
		sent := ask(system, from, &supervisor.Send{Peer: alice.Identity().ID, Message: msg}).(*supervisor.Sent)
		check(sent.Err)
		fmt.Print(<-lines)
	}
	say(bob, "point")
	say(carol, "point")
	say(bob, "bug") // the actor crashes and subscribes again
	check(carol.Stop())
	fmt.Print(<-lines)
	say(bob, "point")
	check(bob.Stop())
	check(alice.Stop())
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
