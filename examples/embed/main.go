// Command embed is a node in a program: it dials a peer, sends it a message and prints the messages that arrive.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func main() {
	address := flag.String("peer", "127.0.0.1:9091", "address of the peer")
	flag.Parse()
	keys, err := crypto.NewNodeManagerAt("carol")
	check(err)
	if !keys.HasIdentity() { // the first run creates carol/identity.json
		check(keys.Generate("carol", crypto.RoleDual))
	}
	book, err := supervisor.OpenPeerRegistry("carol/peers.db")
	check(err)
	defer book.Close()
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0" // any free port
	node, err := supervisor.NewTransport(keys, book, cfg)
	check(err)
	node.Handle("chat", func(from *supervisor.PeerConnection, msg *wire.Message) (*wire.Message, error) {
		fmt.Printf("%q says %s\n", from.Peer().Name, msg.Payload)
		return nil, nil // no reply
	})
	check(node.Start())
	defer node.Stop()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	peer, err := node.ConnectAddress(ctx, *address) // and redials it from now on
	check(err)
	msg, err := peer.NewMessage("chat", "hello")
	check(err)
	check(peer.Send(msg))
	fmt.Printf("sent hello to %q, Ctrl-C ends\n", peer.Peer().Name)
	<-ctx.Done()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
