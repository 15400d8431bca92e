package supervisor

import (
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/wire"
)

// ErrInvalidMessage is wrapped by the error of sending a message that every receiver would refuse: an error of
// wire.Message.Validate, or a From that the peer does not accept on this connection.
var ErrInvalidMessage = wire.ErrInvalid

var (
	errNeighbour = fmt.Errorf("%w: ping, pong and disconnect are valid between neighbours only: "+
		"set From to this node's id", wire.ErrInvalid)
	errReflected = fmt.Errorf("%w: From is the peer itself, which refuses its own messages: "+
		"set From to the author", wire.ErrInvalid)
	errNoMessage = errors.New("there is no message to send")
)

// checkAuthor returns nil if receivers accept a message with this From on a connection of the node self. peer is empty
// for a broadcast, which skips the author of the message.
func checkAuthor(msg *wire.Message, self, peer string) error {
	switch {
	case msg == nil:
		return errNoMessage
	case peer != "" && msg.From == peer:
		return errReflected
	case msg.From != self && (msg.Type == wire.MsgPing || msg.Type == wire.MsgPong || msg.Type == wire.MsgDisconnect):
		return errNeighbour
	}
	return nil
}
