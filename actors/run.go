package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// run is messages of one record that are decoded and not judged yet: those behind the first one of their group. Locks
// and counters are used once for all of them, since each use waits for the writes before it to reach the cache.
type run struct {
	messages []wire.Message
	sizes    []int32  // bytes in the record
	keys     []uint64 // of the IDs, for the dedup set
}

// nextRun returns the next messages of the record that admitRun can admit, with a token for each. It may be empty.
//
// They are messages of the peer itself on a verified connection that pass all checks but that of the dedup set, and
// whose only effect is their delivery.
func (p *connection) nextRun(at *moment) run {
	if !p.session || p.phase != open || p.members != nil || p.proof.awaited || !p.proof.framed ||
		p.proof.strength < Bound || !at.noted || !at.compared {
		return run{}
	}
	r := p.codec.decoded()
	n := 0
	for n < len(r.messages) && p.onlyDelivered(&r.messages[n]) {
		n++
	}
	if n > 0 {
		n = p.limiter.TakeSome(at.now, n)
	}
	return run{r.messages[:n], r.sizes, r.keys}
}

// onlyDelivered reports whether a message of the peer has no other effect than its delivery to the handlers.
func (p *connection) onlyDelivered(msg *wire.Message) bool {
	return msg.From == p.peerID && msg.ReplyTo == "" && !transportType(msg.Type) &&
		msg.Type != wire.MsgHandshake && msg.Type != wire.MsgHandshakeAck
}

// admitRun delivers the messages of a run that are not duplicates, and counts the others. It returns the part of left
// that they do not take over, as admit does.
func (p *connection) admitRun(ctx actor.Context, r run, at *moment, left int64) int64 {
	p.codec.takeDecoded(len(r.messages))
	p.badFrames = 0
	for len(r.messages) > 0 {
		fresh, verdict := p.dedup.SeenTogether(r.messages, r.keys, at.now)
		left = p.deliverRun(r, fresh, left)
		if fresh == len(r.messages) {
			break
		}
		p.accepts(ctx, &r.messages[fresh], verdict, at)
		r = run{r.messages[fresh+1:], r.sizes[fresh+1:], r.keys[fresh+1:]}
	}
	return left
}

// deliverRun delivers the first n messages of a run.
func (p *connection) deliverRun(r run, n int, left int64) int64 {
	if n == 0 {
		return left
	}
	cost := int64(0)
	for _, size := range r.sizes[:n] {
		cost += costInRecord(int(size))
	}
	if left -= cost; left < 0 {
		p.inbound.grow(-left)
		left = 0
	}
	p.node.Counters.Add(MessagesReceived, n)
	p.handle.traffic.received.Add(uint64(n))
	p.inbox.messages(r.messages[:n], r.sizes, p.inbound)
	p.traffic, p.resting = true, false
	p.countHandled(n)
	return left
}
