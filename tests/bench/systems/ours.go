package systems

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/wire"
)

// Message types of the measured messages, for our node and the reference.
const (
	typeCounted = "chat"
	typeAsk     = "get_stats"
	typeAnswer  = "stats"
)

// DedupTTL is 10 s instead of the default 5 minutes: at the measured rates the IDs of 5 minutes exceed the limit of the
// dedup set. Our node has no other changed settings, except MaxConns, the listening address, the rate limit, pacing
// and Session.
const DedupTTL = 10 * time.Second

// maxConns exceeds the number of measured connections.
const maxConns = 20_000

type ours struct {
	system    *actor.ActorSystem
	transport *supervisor.Transport
	book      *supervisor.PeerRegistry
	tally     *Tally
	id        string
}

// newOurs creates a node that uses sessions, or SMSG only.
func newOurs(o Options, onlySMSG bool) (Node, error) {
	keys, err := crypto.NewEphemeralNodeManager("bench", crypto.RoleDual)
	if err != nil {
		return nil, err
	}
	n := &ours{system: actors.NewSystem(), book: supervisor.NewPeerRegistry(), tally: NewTally(), id: keys.Identity().ID}
	if o.Dir != "" {
		if n.book, err = supervisor.OpenPeerRegistry(filepath.Join(o.Dir, "peers.db")); err != nil {
			return nil, err
		}
	}
	for i := range o.Known {
		id, key := inventedPeer(i)
		n.book.Add(supervisor.Peer{
			ID: id, Name: "known", PublicKey: key, Role: crypto.RoleWorker, AddedAt: time.Now(), LastSeen: time.Now(),
		})
	}
	n.transport, err = nodetest.New(nodetest.Options{
		Keys: keys, Book: n.book,
		Config: func(c *supervisor.TransportConfig) {
			c.MaxConns, c.RateRefill, c.DedupTTL = maxConns, 0, DedupTTL
			c.Pacing = supervisor.PacingOff // the flock announces no limit, so broadcasts would wait for the default one
			if onlySMSG {
				c.Session = supervisor.SessionOff
			}
		},
		Options:   []supervisor.Option{supervisor.WithActorSystem(n.system)},
		OnMessage: n.onMessage,
	})
	return n, err
}

func (n *ours) onMessage(c *supervisor.PeerConnection, m *wire.Message) {
	switch m.Type {
	case typeCounted:
		n.tally.Add()
	case typeAsk:
		if answer, err := m.Reply(typeAnswer, m.Payload); err == nil {
			_ = c.Post(answer) // the asking end reports a missing answer
		}
	}
}

// Listen returns the address, the public key and the node ID, for flocks that prepare their handshakes.
func (n *ours) Listen() (string, error) {
	self := n.transport.Identity()
	return strings.Join([]string{n.transport.Addr().String(), self.PublicKey, self.ID}, " "), nil
}

func (n *ours) Dial(address string) (Link, error) {
	host, _, _ := strings.Cut(address, " ")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := n.transport.ConnectContext(ctx, &supervisor.Peer{Address: host})
	if err != nil {
		return nil, err
	}
	return &oursLink{node: n, conn: conn}, nil
}

// Broadcast sends a message to the registry actor and does not wait for its answer, as a program's own actor does. The
// other end counts the deliveries.
func (n *ours) Broadcast(size int) error {
	msg, err := newBroadcast(n.id, size)
	if err != nil {
		return err
	}
	n.system.Root.Send(n.transport.PID(), &supervisor.Broadcast{Message: msg})
	return nil
}

func newBroadcast(self string, size int) (*wire.Message, error) {
	return wire.NewMessage(typeCounted, self, "", strings.Repeat("x", size))
}

func (n *ours) Peers() int    { return n.transport.ConnectedPeers() }
func (n *ours) Known() int    { return len(n.book.List()) }
func (n *ours) Tally() *Tally { return n.tally }

// SyncBook writes the peer book now instead of within a second.
func (n *ours) SyncBook() error { return n.book.Sync() }

func (n *ours) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = errors.Join(n.transport.StopContext(ctx), n.book.Close())
}

type oursLink struct {
	node *ours
	conn *supervisor.PeerConnection
}

// Stream keeps a window of messages in flight: it posts all but the last message of a window and waits until the last
// one is written. This keeps the queue below its limits.
func (l *oursLink) Stream(n, size int) error {
	window := max(1, min(1024, 2<<20/(size+512)))
	var payload any = strings.Repeat("x", size)
	msg, err := wire.NewMessage(typeCounted, l.node.id, l.conn.Peer().ID, payload)
	for i := range n {
		if i > 0 && err == nil {
			err = msg.Renew(payload)
		}
		if err != nil {
			return err
		}
		if i%window == window-1 || i == n-1 {
			err = l.conn.Send(msg)
		} else {
			err = l.conn.Post(msg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *oursLink) Ask(size int) error {
	msg, err := wire.NewMessage(typeAsk, l.node.id, l.conn.Peer().ID, strings.Repeat("x", size))
	if err != nil {
		return err
	}
	answer, err := l.node.transport.Request(l.conn.Peer().ID, msg)
	if err == nil && len(answer.Payload) != size+2 {
		err = fmt.Errorf("the answer has %d bytes", len(answer.Payload))
	}
	return err
}

// inventedPeer returns a peer that does not exist.
func inventedPeer(i int) (id, publicKey string) {
	var key crypto.PublicKey
	for at := range 4 {
		key[at+1] = byte(i >> (8 * at))
	}
	key[0], key[16] = 9, 7
	return key.NodeID(), key.String()
}
