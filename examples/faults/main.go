// Command faults makes a handler and a connection's actor panic, and shows that neither stops the node or its peers.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func main() {
	var faults supervisor.Faults
	alice, bob := newNode("alice"), newNode("bob", supervisor.WithFaults(&faults))
	handled, up := make(chan wire.MessageType), make(chan struct{}, 8)
	alice.OnMessage(func(_ *supervisor.PeerConnection, msg *wire.Message) {
		switch msg.Type {
		case "bad":
			panic("a fault in the handler")
		case "good":
			handled <- msg.Type
		}
	})
	bob.OnEvent(func(e supervisor.Event) {
		if _, ok := e.(supervisor.PeerUp); ok {
			up <- struct{}{}
		}
	})
	check(alice.Start())
	defer alice.Stop()
	check(bob.Start())
	defer bob.Stop()
	peer, err := bob.ConnectAddress(context.Background(), alice.Addr().String())
	check(err)
	<-up
	for _, kind := range []wire.MessageType{"bad", "good"} {
		msg, err := wire.NewMessage(kind, bob.Identity().ID, peer.Peer().ID, nil)
		check(err)
		check(peer.Send(msg))
	}
	fmt.Println("handled:", <-handled, "after", alice.Counters()["handlerPanics"], "panic")
	check(faults.Crash(peer)) // its actor panics: the connection ends, and bob redials
	<-up
	fmt.Println("connected:", bob.ConnectedPeers(), "after", bob.Counters()["actorRestarts"], "crash")
}

func newNode(name string, options ...supervisor.Option) *supervisor.Transport {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	check(err)
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0" // any free port
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg, options...)
	check(err)
	return node
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
