package simulation

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// relayTime limits the life of a relay.
const relayTime = 20 * time.Second

// stepCrossClaim has an attacker without a key connect to two nodes, to each with the identity of the other, and copy
// every frame between them. The attack must not disturb the two nodes: all their messages arrive.
func (w *world) stepCrossClaim() string {
	a, b := w.two()
	if !a.up || !b.up {
		return ""
	}
	features := [][]string{
		nil,
		{wire.FeatureSingleConnection},
		{wire.FeatureSingleConnection, "rate/100/50"},
	}[w.random.IntN(3)]
	host := w.net.Attach(fmt.Sprintf("10.0.9.%d", 1+w.random.IntN(200)))
	w.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), relayTime)
		defer cancel()
		toA, errA := claim(ctx, host, a, b, features)
		toB, errB := claim(ctx, host, b, a, features)
		if errA == nil && errB == nil {
			var ways sync.WaitGroup
			ways.Go(func() { relay(ctx, toA, toB) })
			ways.Go(func() { relay(ctx, toB, toA) })
			ways.Wait()
		}
		for _, ws := range []*websocket.Conn{toA, toB} {
			if ws != nil {
				_ = ws.CloseNow()
			}
		}
	})
	return fmt.Sprintf("a stranger relays between nodes %d and %d, to each with the identity of the other, features %q",
		a.index, b.index, features)
}

// claim opens a connection to a node and sends a handshake with the public identity of another node.
func claim(ctx context.Context, host *memnet.Host, to, as *node, features []string) (*websocket.Conn, error) {
	transport := &http.Transport{DialContext: host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	ws, _, err := websocket.Dial(ctx, "ws://"+to.address()+"/ws", options)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(2 << 20)
	id := identities()[as.index].Identity()
	msg, err := wire.NewMessage(wire.MsgHandshake, "", "", wire.HandshakePayload{
		Identity: wire.Identity{
			ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt, Role: string(id.Role),
		},
		Challenge: []byte(strings.Repeat("c", 32)), Version: "1.0", Features: features,
	})
	if err != nil {
		return ws, err
	}
	data, err := msg.AppendJSON(nil)
	if err == nil {
		err = ws.Write(ctx, websocket.MessageText, data)
	}
	if err == nil {
		_, _, err = ws.Read(ctx) // the ack
	}
	return ws, err
}

// relay copies frames in one direction until either connection closes.
func relay(ctx context.Context, from, to *websocket.Conn) {
	defer func() { _ = to.CloseNow() }()
	for {
		kind, data, err := from.Read(ctx)
		if err != nil || to.Write(ctx, kind, data) != nil {
			return
		}
	}
}

// checkRoutes checks that no route is a claim, and that every inbound route is bound unless its peer was rolled back to
// a deployed release.
func (w *world) checkRoutes(n *node) {
	for c := range n.transport.Connections() {
		least := supervisor.Unmarked
		if c.Direction() == supervisor.Inbound && !w.nodes[w.indexOf(c.Peer().ID)].rolledBack {
			least = supervisor.Bound
		}
		if c.Strength() < least {
			w.fault("node %d: the route to %s is an %v connection of strength %v",
				n.index, c.Peer().ID, c.Direction(), c.Strength())
		}
	}
}
