package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// handed is a message that waits for its handlers, and what its frame took of the budget.
type handed struct {
	message *wire.Message
	size    int
}

// prove notes that the peer has shown that it holds its key, and tells the registry. Until that answers, messages wait,
// the one that was the proof first: a handler that answers it goes by the directory, where somebody else may still
// stand under the peer's name. What waits is within the budget, as what is queued for the handlers is.
func (p *Peer) prove(ctx actor.Context) {
	p.proven, p.doubtful = true, true
	ctx.Send(p.parent, &Proven{PID: p.handle.pid})
}

// confirmed lets go what has waited: the registry has answered, or the connection ends.
func (p *Peer) confirmed() {
	held := p.held
	p.doubtful, p.held = false, nil
	for _, next := range held {
		p.handOver(next.message, next.size)
	}
}

// handOver gives a message to whoever waits for a reply, and to the handlers.
func (p *Peer) handOver(msg *wire.Message, size int) {
	if p.doubtful {
		p.held = append(p.held, handed{msg, size})
		return
	}
	if msg.ReplyTo != "" && p.proven { // an unverified peer answers no request
		p.node.Replies.Reply(p.peerID, msg)
	}
	p.delivery.message(msg, p.inbound, size)
}
