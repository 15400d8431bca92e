package systems

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// puppet is one peer of a flock. It never opens a frame: it has only the sending half of its keys.
type puppet struct {
	conn descriptor // set when connected

	id, node  string
	handshake []byte        // complete frame; nil: the system has no handshake
	seal      sealFunc      // nil until the session begins
	offer     *sessionOffer // nil: SMSG
	frame     []byte        // reused
}

// sealFunc returns the content of the frame with one message. It reuses its memory.
type sealFunc func(msg *wire.Message) ([]byte, error)

// sessionOffer is the state of an initiator until the session begins.
type sessionOffer struct {
	keys   session.Identity
	peer   crypto.PublicKey
	offer  *session.Offer
	opened []byte // the handshake as sent
}

// prepare computes everything that does not depend on the node's answer.
func (p *puppet) prepare(nodeKey, nodeID string, inSession bool) error {
	keys, err := crypto.NewEphemeralNodeManager("puppet", crypto.RoleWorker)
	if err != nil {
		return err
	}
	key, err := crypto.ParsePublicKey(nodeKey)
	if err != nil {
		return err
	}
	secret, err := keys.SharedSecret(key)
	if err != nil {
		return err
	}
	self := keys.Identity()
	p.id, p.node = self.ID, nodeID
	payload := wire.HandshakePayload{
		Identity: wire.Identity{
			ID: self.ID, Name: self.Name, PublicKey: self.PublicKey, CreatedAt: self.CreatedAt, Role: string(self.Role),
		},
		Version: wire.ProtocolVersion,
	}
	if payload.Challenge, err = crypto.GenerateChallenge(nil); err != nil {
		return err
	}
	if inSession {
		p.offer = &sessionOffer{keys: session.WithSecret(keys, key, secret), peer: key}
		if err := p.offer.fill(&payload); err != nil {
			return err
		}
	}
	hello, err := wire.NewMessage(wire.MsgHandshake, p.id, "", payload)
	if err != nil {
		return err
	}
	text, err := hello.AppendJSON(nil)
	p.handshake = appendFrame(nil, opText, text)
	if inSession {
		p.offer.opened = text
		return err
	}
	p.seal, err = smsgSeal(secret)
	return err
}

// fill adds the offer of a session to a handshake.
func (o *sessionOffer) fill(payload *wire.HandshakePayload) (err error) {
	if o.offer, err = session.NewOffer(nil, false); err != nil {
		return err
	}
	key := o.offer.PublicKey()
	payload.Features, payload.Session = []string{wire.FeatureSession}, &wire.SessionOffer{Key: key[:]}
	for _, aead := range session.Preferred() {
		payload.Session.AEADs = append(payload.Session.AEADs, aead.String())
	}
	return nil
}

// accepted handles the node's ack and returns the frame of the first message, which proves the key. It fails unless the
// node accepts, with a session if the puppet has offered one.
func (p *puppet) accepted(ack []byte) ([]byte, error) {
	msg, err := wire.Decode(ack)
	if err != nil {
		return nil, err
	}
	answer, err := wire.DecodeHandshakeAck(msg)
	if err != nil {
		return nil, err
	}
	if !answer.Accepted || (answer.Session != nil) != (p.offer != nil) {
		return nil, fmt.Errorf("refused: %s", ack)
	}
	if p.offer == nil { // sealed now, because the time of a message must not be long ago
		return p.message("hello", "")
	}
	aead, known := session.ParseAEAD(answer.Session.AEAD)
	if !known {
		return nil, fmt.Errorf("unknown aead: %s", ack)
	}
	theirs := session.PeerKeys{Key: crypto.PublicKey(answer.Session.Key)}
	sealer, _, err := p.offer.offer.Finish(p.offer.keys, p.offer.peer, theirs, aead, p.offer.opened, ack)
	if err != nil {
		return nil, err
	}
	p.offer, p.seal = nil, sessionSeal(sealer, p.id, p.node)
	return p.message(wire.MsgPing, wire.PingPayload{SentAt: time.Now().UnixMilli()})
}

// say seals and writes one message.
func (p *puppet) say(kind wire.MessageType, payload any) error {
	frame, err := p.message(kind, payload)
	if err != nil {
		return err
	}
	_, err = p.conn.Write(frame)
	return err
}

// message returns the frame of one message, valid until the next call.
func (p *puppet) message(kind wire.MessageType, payload any) ([]byte, error) {
	msg, err := wire.NewMessage(kind, p.id, p.node, payload)
	if err != nil {
		return nil, err
	}
	body, err := p.seal(msg)
	p.frame = appendFrame(p.frame[:0], opBinary, body)
	return p.frame, err
}

// smsgSeal returns a function that seals SMSG containers.
func smsgSeal(secret crypto.SharedSecret) (sealFunc, error) {
	key, err := smsg.NewKey(secret)
	if err != nil {
		return nil, err
	}
	sealer, err := key.NewSealer(nil)
	var text, body []byte
	return func(msg *wire.Message) ([]byte, error) {
		var err error
		if text, err = wire.AppendSealedBody(text[:0], msg, time.Now()); err != nil {
			return nil, err
		}
		text = append(text, wire.NewSealedEnd(nil)...)
		body = sealer.Seal(body[:0], text)
		return body, nil
	}, err
}

// sessionSeal returns a function that seals records of one message from the node self to the node peer.
func sessionSeal(sealer session.Sealer, self, peer string) sealFunc {
	var record []byte
	return func(msg *wire.Message) ([]byte, error) {
		var err error
		record, err = wire.AppendMessage(append(record[:0], byte(session.Messages)), msg, self, peer)
		if err != nil {
			return nil, err
		}
		record = sealer.Seal(record)
		return record, nil
	}
}

// BroadcastSize returns the size in a record, in bytes, of a broadcast of our node with a payload of size bytes.
func BroadcastSize(size int) (int, error) {
	keys, err := crypto.NewEphemeralNodeManager("broadcast", crypto.RoleDual)
	if err != nil {
		return 0, err
	}
	self := keys.Identity().ID
	msg, err := newBroadcast(self, size)
	if err != nil {
		return 0, err
	}
	form, err := wire.AppendMessage(nil, msg, self, "")
	return len(form), err
}
