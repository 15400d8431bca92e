package blackbox

import (
	"context"
	"errors"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// withTimeout returns a context that ends with the test or after patience.
func withTimeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func identity(t *testing.T, name string) *refpeer.Identity {
	t.Helper()
	id, err := refpeer.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// reference is a connected reference peer, with the node at the other end.
type reference struct {
	*refpeer.Conn
	self *refpeer.Identity
	n    *node
}

// dialed connects a reference peer to the node, with a new identity if the options have none, and waits for peer_up.
func dialed(n *node, o refpeer.Options) *reference {
	n.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(n.t, "reference")
	}
	mark := n.Mark()
	conn, err := refpeer.Dial(withTimeout(n.t), n.URL(), o)
	if err != nil {
		n.Fatalf("reference peer cannot connect: %v", err)
	}
	n.t.Cleanup(conn.Close)
	n.AwaitAfter(mark, "peer_up", "peer", o.Identity.ID)
	return &reference{conn, o.Identity, n}
}

// listening starts a reference peer that a node can dial.
func listening(t *testing.T, o refpeer.Options) *refpeer.Server {
	t.Helper()
	if o.Identity == nil {
		o.Identity = identity(t, "reference")
	}
	s, err := refpeer.Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// accept returns the next connection of a node to a listening reference peer.
func accept(n *node, s *refpeer.Server, self *refpeer.Identity) *reference {
	n.t.Helper()
	conn, err := s.Accept(withTimeout(n.t))
	if err != nil {
		n.Fatalf("does not connect to the reference peer: %v", err)
	}
	return &reference{conn, self, n}
}

// say sends one message to the node and returns its ID.
func (r *reference) say(typ string, payload any) string {
	r.n.t.Helper()
	id, err := r.Send(typ, r.n.ID(), payload)
	if err != nil {
		r.n.Fatalf("reference peer cannot send: %v", err)
	}
	return id
}

// prove sends one message and waits for its event: then the peer is verified.
func (r *reference) prove() {
	r.n.t.Helper()
	r.n.Await("message", "message.id", r.say("hello", nil), "peer", r.self.ID)
	r.n.Await("peer_verified", "peer", r.self.ID)
}

// envelope returns a message from the reference peer to the node, not sent.
func (r *reference) envelope(typ string, payload any) refpeer.Envelope {
	r.n.t.Helper()
	e, err := refpeer.NewEnvelope(typ, r.self.ID, r.n.ID(), payload)
	if err != nil {
		r.n.t.Fatal(err)
	}
	return e
}

// sendEnvelope seals and sends any value.
func (r *reference) sendEnvelope(v any) {
	r.n.t.Helper()
	if err := r.SendEnvelope(v); err != nil {
		r.n.Fatalf("reference peer cannot send: %v", err)
	}
}

// next returns the next message of one of the types from the node.
func (r *reference) next(types ...string) refpeer.Envelope {
	r.n.t.Helper()
	e, err := r.RecvType(withTimeout(r.n.t), types...)
	if err != nil {
		r.n.Fatalf("reference peer waits for %q: %v", types, err)
	}
	return e
}

// awaitEnd waits until the connection has ended.
func (r *reference) awaitEnd() {
	r.n.t.Helper()
	select {
	case <-r.Done():
	case <-withTimeout(r.n.t).Done():
		r.n.Fatalf("the connection of the reference peer still stands")
	}
}

// requireOpen requires that the connection has not ended.
func (r *reference) requireOpen() {
	r.n.t.Helper()
	if err := r.Err(); err != nil {
		r.n.Fatalf("the connection of the reference peer ended: %v", err)
	}
}

// refusal returns the reason with which the node refuses a reference peer.
func refusal(n *node, o refpeer.Options) string {
	n.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(n.t, "refused")
	}
	conn, err := refpeer.Dial(withTimeout(n.t), n.URL(), o)
	if err == nil {
		conn.Close()
		n.Fatalf("let a peer in that it had to refuse")
	}
	var refused *refpeer.RefusedError
	if !errors.As(err, &refused) {
		n.Fatalf("refused without an ack: %v", err)
	}
	return refused.Reason
}
