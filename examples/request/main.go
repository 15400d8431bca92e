// Command request asks a peer for a sum and waits for the reply: the sum, an error of the peer, or none in time.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func main() {
	alice, bob := start("alice"), start("bob")
	defer alice.Stop()
	defer bob.Stop()
	alice.Handle("sum", func(_ *supervisor.PeerConnection, msg *wire.Message) (*wire.Message, error) {
		var n []int
		if err := msg.ParsePayload(&n); err != nil { // a peer can send anything
			return nil, err // bob gets a message of the type error
		}
		if len(n) != 2 {
			return nil, nil // no reply: bob's request times out
		}
		return msg.Reply("total", n[0]+n[1])
	})
	peer, err := bob.Connect(&supervisor.Peer{Address: alice.Addr().String()})
	check(err)
	ask := func(payload any, timeout time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		msg, err := peer.NewMessage("sum", payload)
		check(err)
		reply, err := bob.RequestContext(ctx, peer.Peer().ID, msg)
		if err != nil {
			fmt.Println("no sum:", err)
			return
		}
		fmt.Println(reply.Type, string(reply.Payload))
	}
	ask([]int{1, 2}, 10*time.Second)
	ask("not two numbers", 10*time.Second)
	ask([]int{1, 2, 3}, 100*time.Millisecond)
}

// start starts a node whose identity and peer book exist in memory only.
func start(name string) *supervisor.Transport {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	check(err)
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0" // any free port
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg)
	check(err)
	check(node.Start())
	return node
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
