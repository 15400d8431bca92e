package actors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// remote is the peer that a test plays. It speaks the protocol, and violates it on demand.
type remote struct {
	*farEnd
	codec *smsgCodec
	mute  bool // answers no ping

	ownBind, nodeBind crypto.Bind // after shakeWith or ackWith
	handshake         []byte      // after awaitDial: the node's first message

	mu       sync.Mutex
	heard    []*wire.Message
	at       []time.Time
	closed   error
	recorded [][]byte // frames as received
}

// connect opens a WebSocket to the node, without a handshake.
func (r *rig) connect() *remote { return &remote{farEnd: r.dial()} }

// unansweredRig returns a rig whose registry does not answer a proof, and a connected peer that answers no ping.
func unansweredRig(t *testing.T) (*rig, *remote) {
	t.Helper()
	r := newRig(t)
	r.parent.slow = true
	p := r.connect()
	p.mute = true
	return r, p
}

// open connects and does the initiator's part of the handshake.
func (r *rig) open() *remote {
	r.t.Helper()
	p := r.connect()
	p.shake()
	return p
}

// openVerified also sends the message that verifies the peer.
func (r *rig) openVerified() *remote {
	r.t.Helper()
	p := r.open()
	p.send("hello", nil)
	synctest.Wait()
	return p
}

func (p *remote) shake() {
	p.t.Helper()
	hello := goodHandshake(p.keys)
	hello.Features = nil
	p.sayPlain(encodeLogin(p.t, wire.MsgHandshake, hello))
	ack, _ := p.hearAck()
	if !ack.Accepted {
		p.t.Fatalf("refused: %s", ack.Reason)
	}
	challenge := goodHandshake(p.keys).Challenge
	if !crypto.VerifyChallenge(challenge, ack.ChallengeResponse, p.rig.secretWith(p.keys)) {
		p.t.Fatal("the ack does not answer the challenge")
	}
	p.listen()
}

// prepare creates the codec.
func (p *remote) prepare() {
	p.t.Helper()
	var err error
	if p.codec, err = newSMSG(p.rig.secretWith(p.keys), nil); err != nil {
		p.t.Fatal(err)
	}
}

// listen creates the codec and reads frames. It answers pings unless mute is set.
func (p *remote) listen() {
	p.t.Helper()
	p.prepare()
	p.pump.Go(func() {
		for {
			_, data, err := p.ws.Read(context.Background())
			if err != nil {
				p.mu.Lock()
				p.closed = err
				p.mu.Unlock()
				return
			}
			p.hear(data)
		}
	})
}

func (p *remote) hear(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recorded = append(p.recorded, slices.Clone(data))
	msg, _, err := p.codec.read(data)
	if err != nil {
		p.t.Errorf("a frame holds no message: %v", err)
		return
	}
	p.heard, p.at = append(p.heard, msg), append(p.at, time.Now())
	if msg.Type == wire.MsgPing && !p.mute {
		pong, err := msg.Reply(wire.MsgPong, wire.PongPayload{})
		if err != nil {
			p.t.Error(err)
			return
		}
		pong.From, pong.To = p.id(), msg.From
		_ = p.ws.Write(context.Background(), websocket.MessageBinary, p.seal(pong))
	}
}

// read opens a frame and returns its message.
func (c *smsgCodec) read(frame []byte) (*wire.Message, mark, error) {
	if err := c.open(frame, false, nil); err != nil {
		return nil, markNone, err
	}
	return c.next()
}

func (p *remote) setMute(mute bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = mute
}

// seal returns the frame of a message. The caller holds the lock, or has not called listen yet.
func (p *remote) seal(msg *wire.Message) []byte {
	encoded, err := wire.AppendSealedBody(make([]byte, smsg.Headroom), msg, time.Now())
	if err != nil {
		p.t.Error(err)
	}
	return p.codec.seal(encoded)
}

// frame seals a message.
func (p *remote) frame(msg *wire.Message) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seal(msg)
}

func (p *remote) send(kind wire.MessageType, payload any) *wire.Message {
	msg := p.message(kind, payload)
	p.sendFrame(p.frame(msg))
	return msg
}

// got returns the received messages of one type.
func (p *remote) got(kind wire.MessageType) (of []*wire.Message) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, msg := range p.heard {
		if msg.Type == kind {
			of = append(of, msg)
		}
	}
	return of
}

// lastSize returns the size of the last received frame in bytes.
func (p *remote) lastSize() int {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.recorded[len(p.recorded)-1])
}

// lastMessage returns the payload of the last message, which must be a disconnect, and the status of the close frame.
func (p *remote) lastMessage() (wire.DisconnectPayload, websocket.StatusCode) {
	p.t.Helper()
	p.pump.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.heard) == 0 || p.heard[len(p.heard)-1].Type != wire.MsgDisconnect {
		p.t.Fatalf("the last message is no disconnect; closed with %v", p.closed)
	}
	var payload wire.DisconnectPayload
	if err := p.heard[len(p.heard)-1].ParsePayload(&payload); err != nil {
		p.t.Fatal(err)
	}
	return payload, websocket.CloseStatus(p.closed)
}

// delivered returns the IDs of one type that reached the handler.
func (r *rig) delivered(kind wire.MessageType) (ids []string) {
	synctest.Wait()
	for _, text := range r.sink.all() {
		if id, ok := strings.CutPrefix(text, string(kind)+" "); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// awaitDial plays the responder of one dial of the node: it passes the far end and the received handshake to answer.
func (r *rig) awaitDial(answer func(*remote, wire.HandshakePayload)) {
	sockettest.Serve(r.t, r.There, func(w http.ResponseWriter, req *http.Request) {
		ws, err := websocket.Accept(w, req, nil)
		if err != nil {
			r.t.Error(err)
			return
		}
		p := &remote{farEnd: r.farEnd(ws)}
		_, data, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		msg, err := wire.Decode(data)
		if err != nil {
			r.t.Error(fmt.Errorf("the handshake: %w", err))
			return
		}
		hello, err := wire.DecodeHandshake(msg)
		if err != nil {
			r.t.Error(fmt.Errorf("the handshake: %w", err))
			return
		}
		p.handshake = data
		answer(p, hello)
	})
}

// ack accepts a handshake.
func (p *remote) ack(hello wire.HandshakePayload) {
	p.sayPlain(encodeLogin(p.t, wire.MsgHandshakeAck, wire.HandshakeAckPayload{
		Identity: identityOnWire(p.keys.Identity()), Accepted: true,
		ChallengeResponse: crypto.SignChallenge(hello.Challenge, p.rig.secretWith(p.keys)),
	}))
	p.listen()
}
