package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// A node in ten lines: an identity that is created once and stored, a peer book, a transport.
func ExampleNewTransport() {
	dir, _ := os.MkdirTemp("", "example") // a real program uses a permanent directory
	defer os.RemoveAll(dir)

	keys, err := crypto.NewNodeManagerAt(dir)
	if err == nil && !keys.HasIdentity() {
		err = keys.Generate("alice", crypto.RoleDual)
	}
	if err != nil {
		log.Fatal(err)
	}
	book, err := supervisor.OpenPeerRegistry(filepath.Join(dir, "peers.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	node, err := supervisor.NewTransport(keys, book, cfg)
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		log.Fatal(err)
	}
	defer node.Stop()
	fmt.Println(node.Identity().Name, "accepts peers:", node.Accepting())
	// Output: alice accepts peers: true
}

// A request and its reply: alice's handler returns the reply, and bob waits for it. Bob's own OnMessage handler would
// get the reply too.
func ExampleTransport_RequestContext() {
	alice, bob := newNode("alice"), newNode("bob")
	alice.Handle("sum", func(_ *supervisor.PeerConnection, question *wire.Message) (*wire.Message, error) {
		var numbers []int
		if err := question.ParsePayload(&numbers); err != nil {
			return nil, err // bob gets a message of the type error
		}
		total := 0
		for _, n := range numbers {
			total += n
		}
		return question.Reply("total", total)
	})
	for _, node := range []*supervisor.Transport{alice, bob} {
		if err := node.Start(); err != nil {
			log.Fatal(err)
		}
		defer node.Stop()
	}
	peer, err := bob.Connect(&supervisor.Peer{Address: alice.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	to := peer.Peer().ID
	question, err := wire.NewMessage("sum", bob.Identity().ID, to, []int{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := bob.RequestContext(ctx, to, question)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s\n", answer.Type, answer.Payload)
	// Output: total 6
}

// cable is a network connection that can be unplugged.
type cable struct {
	net.Conn
	out *atomic.Bool
}

var errUnplugged = errors.New("the cable is out")

func (c cable) Write(p []byte) (int, error) {
	if c.out.Load() {
		return 0, errUnplugged
	}
	return c.Conn.Write(p)
}

// Fault injection: every connection of bob's uses a cable. When it is unplugged, the connection ends. Bob keeps alice
// connected, so he dials again until it is plugged in. WithFaults, WithDialer, WithListener and WithClock inject other
// faults.
func ExampleWithConnWrapper() {
	var out atomic.Bool
	alice := newNode("alice")
	bob := newNode("bob", supervisor.WithConnWrapper(func(conn net.Conn) net.Conn { return cable{conn, &out} }))
	up, down := make(chan struct{}, 8), make(chan struct{}, 8)
	bob.OnEvent(func(e supervisor.Event) {
		switch e.(type) {
		case supervisor.PeerUp:
			up <- struct{}{}
		case supervisor.PeerDown:
			down <- struct{}{}
		}
	})
	for _, node := range []*supervisor.Transport{alice, bob} {
		if err := node.Start(); err != nil {
			log.Fatal(err)
		}
		defer node.Stop()
	}
	peer, err := bob.ConnectAddress(context.Background(), alice.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	<-up
	out.Store(true)
	msg, err := wire.NewMessage("greeting", bob.Identity().ID, peer.Peer().ID, "hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sent:", peer.Send(msg) == nil)
	<-down
	out.Store(false)
	<-up
	fmt.Println("connected again:", bob.ConnectedPeers() == 1)
	// Output:
	// sent: false
	// connected again: true
}

// Many messages to one peer: Post enqueues them, an occasional Send waits, and each message is made from the one
// before.
func ExamplePeerConnection_Post() {
	const samples = 60 // by default a node accepts 100 at once and 50 per second from a peer; more would wait in the queue
	alice, bob := newNode("alice"), newNode("bob")
	sum, done := 0, make(chan struct{})
	alice.OnMessage(func(_ *supervisor.PeerConnection, msg *wire.Message) { // one call at a time for each connection
		var n int
		if msg.Type != "sample" || msg.ParsePayload(&n) != nil {
			return
		}
		if sum += n; n == samples-1 {
			close(done)
		}
	})
	for _, node := range []*supervisor.Transport{alice, bob} {
		if err := node.Start(); err != nil {
			log.Fatal(err)
		}
		defer node.Stop()
	}
	conn, err := bob.Connect(&supervisor.Peer{Address: alice.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	msg, err := wire.NewMessage("sample", bob.Identity().ID, conn.Peer().ID, 0)
	for i := 1; err == nil && i < samples; i++ {
		if i%16 == 0 {
			err = conn.Send(msg) // after nil, all earlier messages are written too
		} else {
			err = conn.Post(msg) // Post has copied the message when it returns
		}
		if err == nil {
			err = msg.Renew(i)
		}
	}
	if err == nil {
		err = conn.Send(msg)
	}
	if err != nil {
		log.Fatal(err)
	}
	<-done
	fmt.Println(sum)
	// Output: 1770
}
