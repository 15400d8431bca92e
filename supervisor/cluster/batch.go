package cluster

import (
	"bytes"
	"encoding/binary"
	"time"
)

// batch is a number of messages with one ack or more.
type batch struct {
	id      uint64
	body    []byte    // until it is sent; in the buffer of its outward
	flights []*flight // by index; nil: the result is known
	left    int       // flights without a result
	acked   bool
	heard   time.Time // begun, or last ack, on the running clock
}

// begin returns an empty batch.
func (o *outward) begin() *batch {
	o.last++
	e := o.forwarder.engine
	body := binary.AppendUvarint(e.head(kindBatch).appendTo(o.buffer[:0]), o.last)
	return &batch{id: o.last, body: body, flights: make([]*flight, 0, max(1, o.entries)), heard: e.opts.Running.Now()}
}

// takeBody returns the body of a batch in memory of its own, and keeps the buffer for the next batch.
func (o *outward) takeBody(b *batch) []byte {
	body := b.body
	b.body, o.buffer = nil, nil
	if cap(body) > 2*maxBytes { // one long message
		return body
	}
	o.buffer = body
	return bytes.Clone(body)
}

// fits reports whether a batch has room for another message.
func (b *batch) fits(f *flight) bool {
	return len(b.flights) < maxEntries && len(b.body)+entryHead+binary.MaxVarintLen64+len(f.form) <= maxBytes
}
