package natsbus_test

import (
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/natsbus"
)

// A program is a member of a node. Each member has the same identity and a name, a peer book and addresses of its own.
// Stop the transport before the bus.
func Example() {
	keys, err := crypto.NewEphemeralNodeManager("hub", crypto.RoleDual) // usually read from the shared file
	check(err)
	id, logger := keys.Identity().ID, slog.New(slog.DiscardHandler)
	bus, err := natsbus.Serve(natsbus.EmbeddedOptions{
		NodeID: id, Key: keys.ClusterKey, Log: logger,
		Listen: "127.0.0.1:0", Join: nil, // host:port of another member, except for the first one
	})
	check(err)
	defer bus.Close()
	member := cluster.New(bus, cluster.Options{Name: "a", NodeID: id, Boot: rand.Uint64() | 1, Log: logger})
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	node, err := supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg, supervisor.WithCluster(member))
	check(err)
	check(node.Start())
	for _, m := range member.Members() {
		fmt.Println(m.Name, m.State)
	}
	check(node.Stop())
	// Output: a alive
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
