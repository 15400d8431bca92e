package cluster

import (
	"fmt"
	"math"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// form returns a message as an entry carries it.
func (e *Engine) form(msg *wire.Message) ([]byte, error) {
	if err := msg.Validate(); err != nil {
		return nil, err
	}
	form, err := appendForm(msg, e.opts.NodeID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", supervisor.ErrInvalidMessage, err)
	}
	if len(form)+batchHead+entryHead > e.bus.MaxBody() {
		return nil, supervisor.ErrTooLarge
	}
	return form, nil
}

// message returns the message of an entry, in its own memory. decoder must be of newDecoder.
func (e *entry) message(decoder *wire.RecordDecoder) (*wire.Message, error) {
	decoder.Reset(e.form, nil)
	msg, err := decoder.Next()
	if err == nil && decoder.More() {
		err = errMessage
	}
	return msg, err
}

// newDecoder returns a decoder of forms. The bus limits their lengths.
func (f *forwarder) newDecoder() *wire.RecordDecoder {
	return wire.NewRecordDecoder(f.engine.opts.NodeID, "", math.MaxInt32)
}

// formOfReply returns a received message as a result carries it.
func formOfReply(msg *wire.Message) ([]byte, error) { return appendForm(msg, "") }

// appendForm encodes a message. sender is the author that the form does not name.
func appendForm(msg *wire.Message, sender string) ([]byte, error) {
	return wire.AppendMessage(make([]byte, 0, 160+len(msg.Payload)), msg, sender, "")
}

// reply returns the message in a result, in its own memory.
func reply(form []byte) (*wire.Message, error) {
	one := entry{form: form}
	return one.message(wire.NewRecordDecoder("", "", len(form)))
}
