package actors

import (
	"github.com/Snider/go-p2p/wire"
)

// codec is the frame format of one connection. Frames cross into the packages below actors only in its two
// implementations, smsgCodec and sessionCodec. The connection's actor opens, the writer of its outbox sends; the two
// sides share no state.
type codec interface {
	// open decrypts one WebSocket message of the peer, in place. next returns its messages.
	open(frame []byte) error
	// next returns the next message of the opened frame, or io.EOF. With an error that is not io.EOF the mark counts, too:
	// it is judged before the message. hint may be nil.
	next(hint wire.IDHint) (*wire.Message, mark, error)
	// send seals the first of the frames, in order, and writes them as one WebSocket message. It returns their number and
	// the size of the WebSocket message in bytes. Each frame holds an encoded message.
	send(to frameSink, frames []*frame) (n, size int, err error)
}

// frameSink is the part of a socket that takes sealed frames. It does not retain data.
type frameSink interface {
	Write(data []byte, text bool) error
}

// encode returns a frame with an encoded message.
func (n *Node) encode(msg *wire.Message) (*frame, error) {
	if msg == nil {
		return nil, errNoMessage
	}
	if err := msg.Validate(); err != nil {
		return nil, err
	}
	f, err := n.encodeSMSG(msg)
	if err != nil {
		return nil, err
	}
	f.unpaced = transportType(msg.Type)
	return f, nil
}
