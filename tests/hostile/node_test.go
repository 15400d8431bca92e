package hostile

import (
	"context"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// node is a Transport under attack, in this process.
type node = nodetest.Node

// honest is a connected reference peer with the node at the other end.
type honest struct {
	*refpeer.Conn
	self *refpeer.Identity
	n    *node
}

// join connects a reference peer, with a new identity if the options name none.
func join(n *node, o refpeer.Options) *honest {
	n.T.Helper()
	if o.Identity == nil {
		o.Identity = identity(n.T, "honest")
	}
	conn, err := refpeer.Dial(withTimeout(n.T), n.URL(), o)
	if err != nil {
		n.Fatalf("an honest peer cannot connect: %v", err)
	}
	n.T.Cleanup(conn.Close)
	return &honest{conn, o.Identity, n}
}

// say sends one message and waits until the node's handler has it. The message proves the peer, and the node has judged
// all earlier frames.
func (h *honest) say(typ string, payload any) {
	h.n.T.Helper()
	id, err := h.Send(typ, h.n.ID(), payload)
	if err != nil {
		h.n.Fatalf("an honest peer cannot send: %v", err)
	}
	h.n.AwaitMessage(id)
}

// next returns the next message of a type from the node.
func (h *honest) next(typ string) refpeer.Envelope {
	h.n.T.Helper()
	e, err := h.RecvType(withTimeout(h.n.T), typ)
	if err != nil {
		h.n.Fatalf("an honest peer waits for %q: %v", typ, err)
	}
	return e
}

// awaitEnd waits until the connection has ended.
func (h *honest) awaitEnd() {
	h.n.T.Helper()
	select {
	case <-h.Done():
	case <-withTimeout(h.n.T).Done():
		h.n.Fatalf("the connection of %s is still open", h.self.Name)
	}
}

// requireOpen requires that the connection has not ended.
func (h *honest) requireOpen() {
	h.n.T.Helper()
	if err := h.Err(); err != nil {
		h.n.Fatalf("the connection of %s ended: %v", h.self.Name, err)
	}
}

func identity(t *testing.T, name string) *refpeer.Identity {
	t.Helper()
	id, err := refpeer.New(name)
	must(t, err)
	return id
}

// withTimeout returns a context that ends with the test or after patience.
func withTimeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
