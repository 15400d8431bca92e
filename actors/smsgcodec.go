package actors

import (
	"errors"
	"io"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// smsgCodec is the format of all releases: SMSG containers with one message each (protocol section 4).
type smsgCodec struct {
	sealer *smsg.Sealer
	end    wire.SealedEnd // holds the bind of our frames

	opener    *smsg.Opener
	plaintext []byte      // of the opened frame; nil: read
	size      int         // of that frame in bytes
	hint      wire.IDHint // for that frame
	peer      crypto.Bind // of the peer's frames
}

// newSMSG returns the codec of a connection between two nodes that share secret; random provides its nonces. Its frames
// carry no bind until bind is called.
func newSMSG(secret crypto.SharedSecret, random io.Reader) (*smsgCodec, error) {
	key, err := smsg.NewKey(secret)
	if err != nil {
		return nil, err
	}
	sealer, err := key.NewSealer(random)
	if err != nil {
		return nil, err
	}
	return &smsgCodec{sealer: sealer, opener: key.NewOpener(wire.CheckContainerHeader), end: wire.NewSealedEnd(nil)}, nil
}

// bind marks all frames that are sealed from now on, and sets the mark of the peer's frames.
func (c *smsgCodec) bind(own, peer crypto.Bind) { c.end, c.peer = wire.NewSealedEnd(own[:]), peer }

// send implements codec: one frame is one WebSocket message.
func (c *smsgCodec) send(to frameSink, frames []*frame) (n, size int, err error) {
	f := frames[0]
	f.data = c.seal(f.data)
	return 1, len(f.data), to.Write(f.data, false)
}

// seal makes the frame of an encoded message, in place.
func (c *smsgCodec) seal(encoded []byte) []byte {
	encoded = append(encoded, c.end...)
	return c.sealer.Seal(encoded[:0], encoded[smsg.Headroom:])
}

// open implements codec. Deployed nodes accept frames in text messages.
func (c *smsgCodec) open(frame []byte, _ bool, hint wire.IDKeys) (err error) {
	c.plaintext, err = c.opener.Open(frame)
	c.size, c.hint = len(frame), hint
	return err
}

// more implements codec.
func (c *smsgCodec) more() bool { return c.plaintext != nil }

// decoded implements codec: a frame has one message.
func (*smsgCodec) decoded() run { return run{} }

// takeDecoded implements codec.
func (*smsgCodec) takeDecoded(int) {}

// cost implements codec: the message takes over the cost of its frame.
func (c *smsgCodec) cost() int64 { return costOf(c.size) }

// idKey implements codec: the dedup set hashes the ID again, since the hint came before it was checked.
func (*smsgCodec) idKey() uint64 { return 0 }

// skip implements codec.
func (c *smsgCodec) skip() error {
	c.plaintext = nil
	return nil
}

// next implements codec. The bind is judged also if the plaintext holds no valid message.
func (c *smsgCodec) next() (*wire.Message, mark, error) {
	msg, bind, err := wire.DecodeSealedBody(c.plaintext, c.hint)
	c.plaintext = nil
	if errors.Is(err, wire.ErrPlaintext) {
		return nil, markNone, err
	}
	return msg, judgeBind(bind, c.end.Bind(), &c.peer), err
}

// restOpening implements codec.
func (*smsgCodec) restOpening() {}

// restSending implements codec.
func (*smsgCodec) restSending() {}

// encodeSMSG returns a frame buffer with smsg.Headroom free bytes and an encoded message, ready for smsgCodec.send on
// any connection. The frame has the timestamp of the message, which saves a reading of the clock. The message is valid.
func (n *Node) encodeSMSG(msg *wire.Message) (*frame, error) {
	// An eighth more covers the quotes in a payload of short keys, and 512 bytes cover ids, keys and bind.
	f := n.frames.get(smsg.Overhead + len(msg.Payload) + len(msg.Payload)/8 + 512)
	var err error
	if f.data, err = wire.AppendSealedBody(f.data[:smsg.Headroom], msg, msg.Timestamp); err != nil {
		n.frames.put(f)
		return nil, err
	}
	return f, nil
}

// endSize is the length in bytes of the end of every plaintext of a bound connection.
var endSize = len(wire.NewSealedEnd(make([]byte, len(crypto.Bind{}))))

// smsgSize returns the size in bytes of the frame that smsgCodec.seal makes of an encoded message.
func smsgSize(encoded []byte) int { return len(encoded) + endSize + smsg.Overhead - smsg.Headroom }
