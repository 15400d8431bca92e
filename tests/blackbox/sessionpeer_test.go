package blackbox

import (
	"errors"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// role is the part of the node in a handshake with a reference peer.
type role string

const (
	initiator role = "node dials"
	responder role = "node accepts"
)

var roles = []role{initiator, responder}

// inSession connects a reference peer that speaks session/1 and the node, which verifies it.
func (as role) inSession(n *node, o refpeer.Options) *reference {
	n.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(n.t, "reference")
	}
	if o.Session == nil {
		o.Session = &refpeer.SessionOptions{}
	}
	var r *reference
	if as == responder {
		r = dialed(n, o)
	} else {
		s := listening(n.t, o)
		n.ok("connect", s.Addr())
		r = accept(n, s, o.Identity)
	}
	if r.AEAD() == "" {
		n.Fatalf("no session with a peer that speaks session/1")
	}
	n.Await("peer_up", "peer", o.Identity.ID, "session", "session/1", "verified", as == initiator)
	if as == responder {
		n.Await("peer_verified", "peer", o.Identity.ID)
	}
	return r
}

// status returns the WebSocket status with which the node has closed the connection, 0 without a close frame.
func (r *reference) status() int {
	r.n.t.Helper()
	r.awaitEnd()
	var closed *websocket.CloseError
	if errors.As(r.Err(), &closed) {
		return closed.Code
	}
	return 0
}

// requireProtocolEnd requires that the node has closed the connection with 1002 for a fault of the peer.
func (r *reference) requireProtocolEnd() {
	r.n.t.Helper()
	if status := r.status(); status != websocket.CloseProtocolError {
		r.n.t.Errorf("closed with %d (%v), want 1002", status, r.Err())
	}
	down := r.n.Await("peer_down", "peer", r.self.ID)
	if down.Num("code") != websocket.CloseProtocolError || down.Fields["remote"] != false {
		r.n.t.Errorf("peer_down %s, want code 1002, remote false", down.Line)
	}
}

// message returns a chat message as it stands in a record.
func (r *reference) message(payload any) []byte {
	r.n.t.Helper()
	encoded, err := r.Encode(r.envelope("chat", payload))
	if err != nil {
		r.n.t.Fatal(err)
	}
	return encoded
}

// record seals the next record with one chat message, without sending it.
func (r *reference) record(payload any) []byte {
	r.n.t.Helper()
	return r.SealRecord(session.TypeMessages, r.message(payload))
}

// raw sends binary WebSocket messages unchanged. The node may close in between.
func (r *reference) raw(frames ...[]byte) {
	for _, frame := range frames {
		_ = r.SendRaw(frame)
	}
}

// received returns the payloads of the chat messages from a peer, in order.
func (n *node) received(peer string) []string {
	var all []string
	for _, e := range n.All() {
		if e.Has("message", "peer", peer, "message.type", "chat") {
			all = append(all, string(e.Message().Payload))
		}
	}
	return all
}

// forBoth runs a test in both roles, each with a node of its own.
func forBoth(t *testing.T, test func(t *testing.T, as role)) {
	t.Helper()
	t.Parallel()
	for _, as := range roles {
		t.Run(string(as), func(t *testing.T) {
			t.Parallel()
			test(t, as)
		})
	}
}
