package actors

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// sessionCodec is the format of a session (protocol section 9): records of one or more messages.
type sessionCodec struct {
	// Fixed at construction; senders read them on any goroutine.
	node       *Node
	self, peer string // node IDs
	aead       session.AEAD
	kem        bool // the keys include ML-KEM-768

	// Owned by the writer.
	started bool // the first record is sealed
	sealer  session.Sealer

	// Owned by the connection's actor.
	opener   session.Opener
	messages *wire.RecordDecoder // nil: at rest
}

// errText is the error for a WebSocket text message in a session.
var errText = errors.New("a text message in a session")

// now returns the time for both sides, since Node.Born.
func (c *sessionCodec) now() time.Duration { return time.Since(c.node.Born) }

// open implements codec. A rekey record has no messages.
func (c *sessionCodec) open(frame []byte, text bool, hint wire.IDKeys) error {
	if text {
		return errText
	}
	kind, plaintext, err := c.opener.Open(frame, c.now())
	if err != nil || kind == session.Rekey {
		return err
	}
	if c.messages == nil {
		c.messages = decoders.Get().(*wire.RecordDecoder)
		*c.messages = *wire.NewRecordDecoder(c.peer, c.self, int(min(c.node.Limits.MaxMessageSize, math.MaxInt32)))
	}
	c.messages.Reset(plaintext, hint)
	return nil
}

// more implements codec.
func (c *sessionCodec) more() bool { return c.messages != nil && c.messages.More() }

// next implements codec. A record that opens is of this session.
func (c *sessionCodec) next() (*wire.Message, mark, error) {
	msg, err := c.messages.Next()
	return msg, markSession, err
}

// idKey implements codec.
func (c *sessionCodec) idKey() uint64 { return c.messages.Key() }

// skip implements codec.
func (c *sessionCodec) skip() error { return c.messages.Skip() }

// decoded implements codec.
func (c *sessionCodec) decoded() (r run) {
	r.messages, r.sizes, r.keys = c.messages.Decoded()
	return r
}

// takeDecoded implements codec.
func (c *sessionCodec) takeDecoded(n int) { c.messages.TakeDecoded(n) }

// cost implements codec.
func (c *sessionCodec) cost() int64 { return costInRecord(c.messages.Size()) }

// records recycles buffers for records of several messages.
var records = sync.Pool{New: func() any {
	buffer := make([]byte, 0, session.MaxRecord+session.Overhead)
	return &buffer
}}

// send implements codec. The first record holds one message, since it is the confirmation of the keys. A message that
// is alone in its record is sealed in the buffer of its frame.
func (c *sessionCodec) send(to frameSink, frames []*frame) (n, size int, err error) {
	if now := c.now(); c.sealer.MustRekey(now) {
		rekey := c.sealer.Rekey(nil, now)
		if err := to.Write(rekey, false); err != nil {
			return 1, 0, err
		}
		size = len(rekey)
	}
	if n = 1; c.started {
		n = inOneRecord(frames)
	} else {
		c.started = true // written once: senders read fields of this cache line
	}
	record := frames[0].data
	if n > 1 {
		buffer := records.Get().(*[]byte)
		defer records.Put(buffer)
		record = (*buffer)[:recordHead]
		for _, f := range frames[:n] {
			record = append(record, f.data[recordHead:]...)
		}
	}
	record = c.sealer.Seal(record)
	return n, size + len(record), to.Write(record, false)
}

// decoders recycles decoders of 352 bytes, which are at rest.
var decoders = sync.Pool{New: func() any { return new(wire.RecordDecoder) }}

// restOpening implements codec: a cipher takes 1.3 kB and 2 µs to make. The actor calls it between frames, when the
// decoder has no record.
func (c *sessionCodec) restOpening() {
	c.opener.Rest()
	if c.messages != nil {
		*c.messages = wire.RecordDecoder{} // it names both nodes
		decoders.Put(c.messages)
		c.messages = nil
	}
}

// restSending implements codec.
func (c *sessionCodec) restSending() { c.sealer.Rest() }

// recordHead is the number of free bytes before the messages of a record.
const recordHead = session.Overhead - recordTail

// recordTail is the number of bytes that sealing adds behind the messages.
const recordTail = 16

// inOneRecord returns the number of frames whose messages fit in one record, at least one.
func inOneRecord(frames []*frame) int {
	size := 0
	for i, f := range frames {
		size += len(f.data) - recordHead
		if i > 0 && (f.text || len(f.data) == 0 || size > session.MaxRecord) {
			return i
		}
	}
	return len(frames)
}

// encodeInSession returns a frame buffer with recordHead free bytes, an encoded message and room for its seal. receiver
// is empty for a message to several peers. The message is valid.
func (n *Node) encodeInSession(msg *wire.Message, sender, receiver string) (*frame, error) {
	f := n.frames.get(len(msg.Payload) + 512)
	var err error
	if f.data, err = wire.AppendMessage(f.data[:recordHead], msg, sender, receiver); err != nil {
		n.frames.put(f)
		return nil, err
	}
	return f, nil
}

// sessionSize returns the size of an encoded message without its length, in bytes.
func sessionSize(encoded []byte) int {
	size, _ := binary.Uvarint(encoded[recordHead:])
	return int(size)
}
