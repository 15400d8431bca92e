package refpeer

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// maxRecordOver is the number of bytes by which a WebSocket message of a session may exceed maxMessageSize.
const maxRecordOver = 64

// The roles in the bind of an SMSG frame.
const (
	roleInitiator = 'i'
	roleResponder = 'r'
)

// ErrFirstRecord means that the other side's first record is not a single ping or disconnect.
var ErrFirstRecord = errors.New("the first record is no ping")

// Record describes one received record.
type Record struct {
	Type  byte
	Forms []string // of its messages, in order; malformed ones included
	Raw   []byte   // as received
}

// duplex is the session of a connection: its two directions.
type duplex struct {
	AEAD string
	KEM  bool
	seal *session.Direction // under Conn.writing
	open *session.Direction // under Conn.mu once the reader runs
}

// mark sets the binds of the connection from the two handshake messages exactly as sent.
func (c *Conn) mark(role byte, handshake, ack []byte) {
	bind := func(role byte) string {
		h := sha256.New()
		h.Write(append([]byte("go-p2p smsg bind/1"), role))
		for _, message := range [][]byte{handshake, ack} {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
			h.Write(message)
		}
		return base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	c.ownBind, c.peerBind = bind(role), bind(roleInitiator^roleResponder^role)
}

// start does the part of a handshake behind the ack: in a session it sends a ping as the first record and reads that of
// the other side. Then it starts the reader.
func (c *Conn) start(deadline time.Time, o Options) error {
	if !o.Bind && o.Session == nil {
		c.ownBind = ""
	}
	if c.session != nil {
		c.ws.SetReadLimit(maxMessageSize + maxRecordOver)
		if !o.Session.Manual {
			if err := c.confirm(deadline); err != nil {
				return err
			}
		}
	}
	if !o.Stall {
		c.Resume()
	}
	return nil
}

// confirm exchanges the first records.
func (c *Conn) confirm(deadline time.Time) error {
	if _, err := c.Send(TypePing, c.peer.ID, map[string]int64{"sentAt": time.Now().UnixMilli()}); err != nil {
		return err
	}
	if err := c.ws.SetReadDeadline(deadline); err != nil {
		return err
	}
	kind, record, err := c.ws.ReadMessage()
	if err != nil {
		return fmt.Errorf("first record: %w", err)
	}
	c.frames++
	if err := c.keepRecord(kind, record); err != nil {
		c.closeProtocol()
		return err
	}
	if len(c.inbox) != 1 || c.inbox[0].Type != TypePing && c.inbox[0].Type != TypeDisconnect {
		c.closeProtocol()
		return fmt.Errorf("%w: %+v", ErrFirstRecord, c.inbox)
	}
	c.answerPings(c.inbox)
	return c.ws.SetReadDeadline(time.Time{})
}

// closeProtocol sends a close frame with status 1002.
func (c *Conn) closeProtocol() {
	frame := websocket.FormatCloseMessage(websocket.CloseProtocolError, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(writeTimeout))
}

// endSession ends a session after a fault of the other side: close 1002.
func (c *Conn) endSession() {
	c.closeProtocol()
	c.ws.Close()
}

// keepRecord opens a record and puts its messages into the inbox. An error is final. The caller holds c.mu.
func (c *Conn) keepRecord(kind int, frame []byte) error {
	if kind != websocket.BinaryMessage {
		return fmt.Errorf("%w: a text message", ErrRecord)
	}
	raw := bytes.Clone(frame)
	typ, plaintext, err := c.session.open.Open(frame)
	if err != nil {
		return err
	}
	r := Record{Type: typ, Raw: raw}
	var messages [][]byte
	if typ == session.TypeMessages {
		messages, err = SplitMessages(plaintext)
	}
	for _, message := range messages {
		e, form, err := DecodeMessage(message, c.peer.ID, c.self.ID)
		r.Forms = append(r.Forms, form)
		if err != nil {
			c.unopened++
			continue
		}
		c.inbox = append(c.inbox, e)
	}
	c.records = append(c.records, r)
	return err
}

// AEAD returns the AEAD of the session, empty without a session.
func (c *Conn) AEAD() string {
	if c.session == nil {
		return ""
	}
	return c.session.AEAD
}

// Hybrid reports whether ML-KEM takes part in the keys of the session.
func (c *Conn) Hybrid() bool { return c.session != nil && c.session.KEM }

// Records returns the records received so far.
func (c *Conn) Records() []Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Record(nil), c.records...)
}

// Unbound returns the number of SMSG frames that opened and did not carry the right bind.
func (c *Conn) Unbound() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unbound
}

// Binds returns the bind of this side's SMSG frames and that of the peer's.
func (c *Conn) Binds() (own, peer string) { return c.ownBind, c.peerBind }

// Encode returns v as it stands in a record, with its length: an Envelope that fits in the binary form, all else in
// JSON.
func (c *Conn) Encode(v any) ([]byte, error) {
	if e, ok := v.(Envelope); ok {
		if form, err := EncodeBinary(e, c.self.ID, c.peer.ID); err == nil {
			return Frame(form), nil
		}
	}
	text, err := marshal(v)
	return Frame(text), err
}

// EncodeJSON returns v as JSON as it stands in a record, with its length.
func EncodeJSON(v any) ([]byte, error) {
	text, err := marshal(v)
	return Frame(text), err
}

// SendTogether sends several messages in one record, encoded by Encode.
func (c *Conn) SendTogether(messages ...any) error {
	var plaintext []byte
	for _, v := range messages {
		encoded, err := c.Encode(v)
		if err != nil {
			return err
		}
		plaintext = append(plaintext, encoded...)
	}
	return c.SendRecord(session.TypeMessages, plaintext)
}

// SendRecord seals and sends a record of any type and plaintext, valid or not.
func (c *Conn) SendRecord(typ byte, plaintext []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(websocket.BinaryMessage, c.session.seal.Seal(typ, plaintext))
}

// SealRecord seals the next record without sending it. The test decides whether and how often it is sent.
func (c *Conn) SealRecord(typ byte, plaintext []byte) []byte {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.session.seal.Seal(typ, plaintext)
}

// Rekey sends a rekey record. Later records are under the next key.
func (c *Conn) Rekey() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(websocket.BinaryMessage, c.session.seal.Rekey())
}

// DropRekey updates the key for later records without sending the rekey record, as if it had been lost.
func (c *Conn) DropRekey() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.session.seal.Rekey()
}
