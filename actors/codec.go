package actors

import (
	"github.com/Snider/go-p2p/wire"
)

// codec is the frame format of one connection. Frames cross into the packages below actors only in its two
// implementations, smsgCodec and sessionCodec. The connection's actor opens, the writer of its outbox sends; the two
// sides share no state.
type codec interface {
	// open decrypts one WebSocket message of the peer, in place; more and next give its messages. hint may be nil.
	open(frame []byte, text bool, hint wire.IDKeys) error
	// more reports whether the opened frame has another message, valid or not.
	more() bool
	// next returns the next message. The mark is judged before the message, also with an error, unless it is markNone.
	next() (*wire.Message, mark, error)
	// idKey returns the key of the last message's ID by the hint, or 0.
	idKey() uint64
	// skip skips the next message. The only error is wire.ErrRecord.
	skip() error
	// decoded returns the next messages that are decoded already, maybe none. takeDecoded removes the first n of them.
	decoded() run
	takeDecoded(n int)
	// cost returns the cost of the last message in the budget of the connection.
	cost() int64
	// send seals the first of the frames, in order, and writes them as one WebSocket message. It returns their number and
	// the size of the WebSocket message in bytes. Each frame holds an encoded message.
	send(to frameSink, frames []*frame) (n, size int, err error)
	// restOpening and restSending free the memory that one side needs only while it is in use.
	restOpening()
	restSending()
}

// frameSink is the part of a socket that takes sealed frames. It does not retain data.
type frameSink interface {
	Write(data []byte, text bool) error
}
