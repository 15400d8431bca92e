package actors

import (
	"context"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// farEnd is the peer's end of a connection to the node of a rig, below any frame format. remote adds SMSG, sessionPeer
// sessions.
type farEnd struct {
	rig  *rig
	t    *testing.T
	keys *crypto.NodeManager
	ws   *websocket.Conn
	pump sync.WaitGroup
}

// farEnd returns the peer's end on a WebSocket, with new keys. The WebSocket is closed at the end of the test.
func (r *rig) farEnd(ws *websocket.Conn) *farEnd {
	p := &farEnd{rig: r, t: r.t, keys: newKeys(r.t, "there"), ws: ws}
	r.t.Cleanup(func() {
		p.ws.CloseNow()
		p.pump.Wait()
	})
	return p
}

// dial opens a WebSocket to the node, without a handshake.
func (r *rig) dial() *farEnd { return r.farEnd(sockettest.DialRaw(r.t, r.There, sockettest.HereURL)) }

func (p *farEnd) id() string { return p.keys.Identity().ID }

// message returns a new message of this peer.
func (p *farEnd) message(kind wire.MessageType, payload any) *wire.Message {
	msg, err := wire.NewMessage(kind, p.id(), p.rig.node.Keys.Identity().ID, payload)
	if err != nil {
		p.t.Error(err)
	}
	return msg
}

// sayPlain sends a text message.
func (p *farEnd) sayPlain(data []byte) {
	p.t.Helper()
	if err := p.ws.Write(context.Background(), websocket.MessageText, data); err != nil {
		p.t.Fatal(err)
	}
}

// sendFrame writes bytes as one binary message. Errors are ignored.
func (p *farEnd) sendFrame(data []byte) {
	_ = p.ws.Write(context.Background(), websocket.MessageBinary, data)
}

// hearAck returns the node's ack, decoded and as sent.
func (p *farEnd) hearAck() (ack wire.HandshakeAckPayload, data []byte) {
	p.t.Helper()
	data = sockettest.ReadOne(p.t, p.ws)
	msg, err := wire.Decode(data)
	if err == nil {
		ack, err = wire.DecodeHandshakeAck(msg)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return ack, data
}
