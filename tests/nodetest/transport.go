package nodetest

import (
	"fmt"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Port is the listening port of a node on a memnet.Host.
const Port = 9091

// Options changes a node in this process. The zero value is a node with defaults, a new identity and an empty peer book
// in memory, on a free loopback port.
type Options struct {
	Name      string              // of a new identity; empty: "node"
	Keys      *crypto.NodeManager // nil: a new identity
	Book      *supervisor.PeerRegistry
	Host      *memnet.Host // in memory: listens on Port of this host and dials from it
	Config    func(*supervisor.TransportConfig)
	Options   []supervisor.Option
	OnMessage func(*supervisor.PeerConnection, *wire.Message)
	OnEvent   func(supervisor.Event)
}

// New makes a node and starts it. The caller stops it.
func New(o Options) (*supervisor.Transport, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	var options []supervisor.Option
	if o.Host != nil {
		listener, err := o.Host.Listen(Port)
		if err != nil {
			return nil, err
		}
		cfg.ListenAddr = listener.Addr().String()
		options = append(options, supervisor.WithListener(listener), supervisor.WithDialer(o.Host.DialContext))
	}
	if o.Config != nil {
		o.Config(&cfg)
	}
	node, err := supervisor.NewTransport(o.Keys, o.Book, cfg, append(options, o.Options...)...)
	if err != nil {
		return nil, err
	}
	if o.OnMessage != nil {
		node.OnMessage(o.OnMessage)
	}
	if o.OnEvent != nil {
		node.OnEvent(o.OnEvent)
	}
	if err := node.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Keys.Identity().Name, err)
	}
	return node, nil
}

// fill makes an identity and a peer book if the options have none.
func (o *Options) fill() (err error) {
	if o.Name == "" {
		o.Name = "node"
	}
	if o.Keys == nil {
		o.Keys, err = crypto.NewEphemeralNodeManager(o.Name, crypto.RoleDual)
	}
	if o.Book == nil {
		o.Book = supervisor.NewPeerRegistry()
	}
	return err
}
