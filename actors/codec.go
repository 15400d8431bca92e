package actors

import (
	"errors"
	"io"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// codec is the frame format of one connection: SMSG containers around sealed bodies (protocol section 4). A frame
// crosses into crypto/smsg and wire only here: inbound in open, outbound in Node.encode and seal. The sender's
// goroutine encodes once for all receivers; the connection's actor seals. Not safe for concurrent use.
//
// A second frame format has the same three methods.
type codec struct {
	sealer *smsg.Sealer
	opener *smsg.Opener
	end    wire.SealedEnd // holds the bind of our frames
}

// newCodec returns the codec of a connection between two nodes that share secret; random provides its nonces. Its
// frames carry no bind until bind is called.
func newCodec(secret crypto.SharedSecret, random io.Reader) (codec, error) {
	key, err := smsg.NewKey(secret)
	if err != nil {
		return codec{}, err
	}
	sealer, err := key.NewSealer(random)
	if err != nil {
		return codec{}, err
	}
	return codec{sealer: sealer, opener: key.NewOpener(wire.CheckContainerHeader), end: wire.NewSealedEnd(nil)}, nil
}

// bind marks all frames that are sealed from now on.
func (c *codec) bind(own crypto.Bind) { c.end = wire.NewSealedEnd(own[:]) }

// seal makes the frame of an encoded message, in place: encoded is what Node.encode returned.
func (c *codec) seal(encoded []byte) []byte {
	encoded = append(encoded, c.end...)
	return c.sealer.Seal(encoded[:0], encoded[smsg.Headroom:])
}

// open returns the message in a frame and the text of its bind. If unopened reports true for the error, the frame did
// not open. With any other error it opened, and its bind counts. frame is overwritten; bind is part of it.
func (c *codec) open(frame []byte, hint wire.IDHint) (msg *wire.Message, bind []byte, err error) {
	plaintext, err := c.opener.Open(frame)
	if err != nil {
		return nil, nil, err
	}
	return wire.DecodeSealedBody(plaintext, hint)
}

// unopened reports whether an error of open means that the frame has no valid bind either.
func unopened(err error) bool {
	return errors.Is(err, smsg.ErrMalformedFrame) || errors.Is(err, wire.ErrPlaintext)
}

// encode returns a frame buffer with smsg.Headroom free bytes and an encoded message, ready for codec.seal on any
// connection. The frame has the timestamp of the message, which saves a reading of the clock.
func (n *Node) encode(msg *wire.Message) (*frame, error) {
	if msg == nil {
		return nil, errNoMessage
	}
	if err := msg.Validate(); err != nil {
		return nil, err
	}
	// An eighth more covers the quotes in a payload of short keys, and 512 bytes cover ids, keys and bind.
	f := n.frames.get(smsg.Overhead + len(msg.Payload) + len(msg.Payload)/8 + 512)
	var err error
	if f.data, err = wire.AppendSealedBody(f.data[:smsg.Headroom], msg, msg.Timestamp); err != nil {
		n.frames.put(f)
		return nil, err
	}
	f.unpaced = transportType(msg.Type)
	return f, nil
}

// endSize is the length in bytes of the end of every plaintext of a bound connection.
var endSize = len(wire.NewSealedEnd(make([]byte, len(crypto.Bind{}))))

// frameSize returns the size in bytes of the frame that codec.seal makes of an encoded message.
func frameSize(encoded []byte) int { return len(encoded) + endSize + smsg.Overhead - smsg.Headroom }
