package actors

import (
	"context"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// sessionPeer is an initiator that the test plays. It reads records and answers nothing.
type sessionPeer struct {
	*farEnd
	sealer session.Sealer
	opener session.Opener

	mu      sync.Mutex
	records [][]*wire.Message // of the node; nil: a rekey
	raw     [][]byte          // as received
	closed  error
}

func sessions(l *Limits) { l.Session.Offer = true }

// shake sends a handshake with an offer, changed by change, and returns the ack. If the ack has a session, it begins.
func (p *sessionPeer) shake(change func(*wire.HandshakePayload)) wire.HandshakeAckPayload {
	p.t.Helper()
	offer, err := session.NewOffer(nil, true)
	if err != nil {
		p.t.Fatal(err)
	}
	key := offer.PublicKey()
	hello := goodHandshake(p.keys)
	hello.Features = []string{"single-connection", wire.FeatureSession}
	hello.Session = &wire.SessionOffer{AEADs: []string{"unheard-of", "aes256gcm"}, Key: key[:], KEM: offer.KEM()}
	if change != nil {
		change(&hello)
	}
	first := encodeLogin(p.t, wire.MsgHandshake, hello)
	p.sayPlain(first)
	ack, second := p.hearAck()
	if ack.Session == nil {
		return ack
	}
	answer := session.PeerKeys{Key: [32]byte(ack.Session.Key), KEM: ack.Session.KEM}
	p.sealer, p.opener, err = offer.Finish(p.keys, p.rig.node.Keys.PublicKey(), answer, session.AES256GCM, first, second)
	if err != nil {
		p.t.Fatal(err)
	}
	return ack
}

// connectSession opens a WebSocket to the node, without a handshake.
func (r *rig) connectSession() *sessionPeer { return &sessionPeer{farEnd: r.dial()} }

// openSession does the handshake and sends no record.
func (r *rig) openSession() *sessionPeer {
	r.t.Helper()
	p := r.connectSession()
	if ack := p.shake(nil); ack.Session == nil {
		r.t.Fatalf("no session in the ack: %+v", ack)
	}
	p.pump.Go(p.read)
	synctest.Wait()
	return p
}

// openProven also sends the ping that is the proof.
func (r *rig) openProven() *sessionPeer {
	r.t.Helper()
	p := r.openSession()
	p.send(p.message(wire.MsgPing, wire.PingPayload{}))
	synctest.Wait()
	return p
}

func (p *sessionPeer) read() {
	p.ws.SetReadLimit(1 << 24)
	decoder := wire.NewRecordDecoder(p.rig.node.Keys.Identity().ID, p.id(), 1<<24)
	for {
		kind, data, err := p.ws.Read(context.Background())
		p.mu.Lock()
		if err != nil {
			p.closed = err
			p.mu.Unlock()
			return
		}
		p.raw = append(p.raw, slices.Clone(data))
		record, plaintext, err := p.opener.Open(data, time.Since(p.rig.node.Born))
		var messages []*wire.Message
		if err != nil || kind != websocket.MessageBinary {
			p.t.Errorf("record %d: %v, %v", len(p.raw), kind, err)
		} else if record == session.Messages {
			decoder.Reset(plaintext, nil)
			for decoder.More() {
				msg, err := decoder.Next()
				if err != nil {
					p.t.Error(err)
				}
				messages = append(messages, msg)
			}
		}
		p.records = append(p.records, messages)
		p.mu.Unlock()
	}
}

// record seals messages as one record.
func (p *sessionPeer) record(messages ...*wire.Message) []byte {
	plaintext := make([]byte, 1)
	for _, msg := range messages {
		var err error
		if plaintext, err = wire.AppendMessage(plaintext, msg, p.id(), msg.To); err != nil {
			p.t.Error(err)
		}
	}
	return p.sealer.Seal(plaintext)
}

// send sends messages in one record.
func (p *sessionPeer) send(messages ...*wire.Message) { p.sendFrame(p.record(messages...)) }

// many returns n messages of one type with payloads of size bytes.
func (p *sessionPeer) many(kind wire.MessageType, n int, payload any) (list []*wire.Message) {
	for range n {
		list = append(list, p.message(kind, payload))
	}
	return list
}

// got returns the messages of each record of the node as the texts of their types.
func (p *sessionPeer) got() (records [][]string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, record := range p.records {
		var types []string
		for _, msg := range record {
			types = append(types, string(msg.Type))
		}
		records = append(records, types)
	}
	return records
}

// status returns the WebSocket status with which the node has closed.
func (p *sessionPeer) status() websocket.StatusCode {
	p.pump.Wait()
	return websocket.CloseStatus(p.closed)
}
