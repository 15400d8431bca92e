package main

import (
	"context"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/supervisor"
)

// Disconnect implements control.Node.
func (n *node) Disconnect(ctx context.Context, peer string, forget bool) (control.Disconnected, error) {
	gone := control.Disconnected{Peer: peer, Forgotten: forget}
	if c := n.GetConnection(peer); c != nil {
		gone = ending(c)
		gone.Forgotten = forget
	}
	return gone, n.Transport.Disconnect(ctx, peer, forget)
}

// DisconnectUntil implements control.Node.
func (n *node) DisconnectUntil(ctx context.Context, peer string, until time.Time) (control.Disconnected, error) {
	gone := control.Disconnected{Peer: peer}
	if c := n.GetConnection(peer); c != nil {
		gone = ending(c)
	}
	gone.Until = until
	return gone, n.Transport.DisconnectUntil(ctx, peer, until)
}

// DisconnectConnection implements control.Node.
func (n *node) DisconnectConnection(ctx context.Context, number uint64) (control.Disconnected, error) {
	c, err := n.Transport.DisconnectConnection(ctx, number)
	if err != nil {
		return control.Disconnected{}, err
	}
	gone := ending(c)
	gone.Connection = number
	return gone, nil
}

// ending describes a connection that is being closed.
func ending(c *supervisor.PeerConnection) control.Disconnected {
	peer := c.Peer()
	return control.Disconnected{
		Peer: peer.ID, PublicKey: peer.PublicKey, Inbound: c.Direction() == supervisor.Inbound, Verified: c.Verified(),
	}
}
