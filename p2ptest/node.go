package p2ptest

import (
	"context"
	"fmt"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Port is the listening port of every node.
const Port = 9091

// Program describes a node. The zero value is a node with the default configuration and no handlers.
type Program struct {
	// Setup prepares a transport before each start of the node: it sets the handlers.
	Setup func(*supervisor.Transport)
	Peers []*Node // the node dials them, and keeps them connected

	Config  func(*supervisor.TransportConfig) // changes the configuration of each start; nil: the default one
	Options []supervisor.Option               // in addition to those of the simulation
	Keys    *crypto.NodeManager               // nil: an identity that follows from the name
	// Book returns the peer book of each start, which the test closes. Nil: a book in memory, which survives kills.
	Book func() *supervisor.PeerRegistry
}

// Node is a node of a simulation across all its starts. The methods of Transport are those of the last start: after
// Stop or a kill they return supervisor.ErrStopped.
type Node struct {
	*supervisor.Transport

	sim     *Simulation
	name    string
	ip      string
	program Program
	book    *supervisor.PeerRegistry
	host    *memnet.Host
	running *runclock.Clock
	wake    func() // nil: not frozen
	up      bool
}

// Name returns the name.
func (n *Node) Name() string { return n.name }

// ID returns the node ID, also before the first start.
func (n *Node) ID() string { return n.program.Keys.Identity().ID }

// IP returns the address of the node's host.
func (n *Node) IP() string { return n.ip }

// Address returns the address for Connect and for TransportConfig.Peers.
func (n *Node) Address() string { return fmt.Sprintf("%s:%d", n.ip, Port) }

// Up reports whether the node runs.
func (n *Node) Up() bool { return n.up }

// Host returns the network host of the last start, with the number of its sockets; nil before the first.
func (n *Node) Host() *memnet.Host { return n.host }

// Start starts the node, again after Stop, Kill or PowerOff. It does nothing while the node runs.
func (n *Node) Start() error {
	if n.up {
		return nil
	}
	n.host = n.sim.net.Attach(n.ip)
	listener, err := n.host.Listen(Port)
	if err != nil {
		return err
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = n.Address()
	for _, peer := range n.program.Peers {
		cfg.Peers = append(cfg.Peers, peer.Address())
	}
	if n.program.Config != nil {
		n.program.Config(&cfg)
	}
	n.openBook()
	n.running = &runclock.Clock{}
	options := append([]supervisor.Option{
		supervisor.WithListener(listener), supervisor.WithDialer(n.host.DialContext),
		supervisor.WithActorSystem(n.sim.system), supervisor.WithRandom(newRandomness(n.sim.random)),
		supervisor.WithRunningClock(n.running),
	}, n.program.Options...)
	if n.Transport, err = supervisor.NewTransport(n.program.Keys, n.book, cfg, options...); err != nil {
		return err
	}
	if n.program.Setup != nil {
		n.program.Setup(n.Transport)
	}
	if err := n.Transport.Start(); err != nil {
		return err
	}
	n.up = true
	n.sim.stallFrozen()
	return nil
}

func (n *Node) openBook() {
	if n.program.Book != nil {
		n.book = n.program.Book()
	} else if n.book == nil {
		n.book = supervisor.NewPeerRegistry()
	}
}

// Stop stops the node gracefully: its peers get a disconnect message. It does nothing while the node is down.
func (n *Node) Stop() error {
	if !n.up {
		return nil
	}
	n.Thaw()
	n.up = false
	return n.Transport.Stop()
}

// Kill ends the node's process without a disconnect message. The operating system resets its connections. It does
// nothing while the node is down.
func (n *Node) Kill() { n.crash(false) }

// PowerOff is Kill of the whole machine: peers hear nothing until Start, and resets then.
func (n *Node) PowerOff() { n.crash(true) }

func (n *Node) crash(powerLoss bool) {
	if !n.up {
		return
	}
	n.Thaw()
	n.up = false
	n.host.Crash(powerLoss)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Transport.StopContext(ended) // frees its goroutines; no peer notices
}
