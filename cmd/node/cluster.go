package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/natsbus"
)

// clusterLogEvery is the time between two log lines of one kind that other members cause.
const clusterLogEvery = time.Minute

// batchRoom is the room of a message between members for the bytes beside the largest message of a peer.
const batchRoom = 64 << 10

var errAlone = errors.New("this node runs without other members: start it with --cluster or --cluster-nats")

// membership is the part of a node that is a member of a cluster; nil: the node is alone.
type membership struct {
	bus    *natsbus.Bus
	engine *cluster.Engine

	draining sync.Once
	drained  chan struct{} // closed when the drain has ended
}

// openCluster connects to the other members, and returns the options of the transport. Without --cluster and
// --cluster-nats it starts nothing and returns none.
func (n *node) openCluster(keys *crypto.NodeManager) ([]supervisor.Option, error) {
	s := &n.settings.Cluster
	if !s.Enabled() {
		return nil, nil
	}
	secrets, err := n.settings.ClusterSecrets()
	if err != nil {
		return nil, err
	}
	bus, err := n.openBus(keys, secrets)
	if err != nil {
		return nil, err
	}
	var boot [8]byte
	if _, err := rand.Read(boot[:]); err != nil {
		return nil, err
	}
	clock := &runclock.Clock{}
	engine := cluster.New(bus, cluster.Options{
		Name: s.Name, Address: bus.Address(), NodeID: keys.Identity().ID, Running: clock,
		MaxConns: s.MaxConns, RefuseAlone: s.RefuseAlone,
		Boot:    binary.BigEndian.Uint64(boot[:]) | 1, // not zero
		Log:     slog.New(actors.NewLimitedHandler(n.lines, clusterLogEvery)),
		Members: n.log,
	})
	n.cluster = &membership{bus: bus, engine: engine, drained: make(chan struct{})}
	return []supervisor.Option{supervisor.WithCluster(engine), supervisor.WithRunningClock(clock)}, nil
}

// openBus opens the bus that the settings name.
func (n *node) openBus(keys *crypto.NodeManager, secrets [][]byte) (*natsbus.Bus, error) {
	s := &n.settings.Cluster
	id := keys.Identity().ID
	if s.NATS != "" {
		bus, err := natsbus.Dial(natsbus.ExternalOptions{
			NodeID: id, Key: keys.ClusterKey, Secrets: secrets, URL: s.NATS, Credentials: s.Credentials, Log: n.log,
		})
		if err != nil {
			return nil, &usageError{
				fmt.Sprintf("%s: %v: correct it, or --cluster-nats-creds", n.settings.Given("cluster-nats"), err),
			}
		}
		return bus, nil
	}
	bus, err := natsbus.Serve(natsbus.EmbeddedOptions{
		NodeID: id, Key: keys.ClusterKey, Secrets: secrets, Listen: s.Listen, Public: s.Public, Join: s.Join,
		MaxBody: int(n.settings.Transport.MaxMessageSize) + batchRoom, Log: n.log,
	})
	if errors.Is(err, natsbus.ErrPublic) {
		return nil, &usageError{fmt.Sprintf("%s: %v: %s", n.settings.Given("cluster"), err, clusterAdvice(err))}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", n.settings.Given("cluster"), err, clusterAdvice(err))
	}
	return bus, nil
}

// clusterAdvice returns the advice for an error of the listener for other members.
func clusterAdvice(err error) string {
	var lookup *net.DNSError
	switch {
	case errors.Is(err, natsbus.ErrPublic):
		return "give an address of a private network, or permit this one with --cluster-public"
	case errors.Is(err, fs.ErrPermission):
		return "choose a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &lookup):
		return "choose an address of this host"
	default:
		return "choose another address, or stop the program that uses this one"
	}
}

// closeCluster ends the connections to the other members, after the transport has left.
func (n *node) closeCluster() {
	if n.cluster != nil {
		n.cluster.bus.Close()
	}
}

// Members implements control.Node.
func (n *node) Members() ([]output.Member, error) {
	if n.cluster == nil {
		return nil, errAlone
	}
	return output.NewMembers(n.cluster.engine.Members(), time.Now()), nil
}
