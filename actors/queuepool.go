package actors

import (
	"fmt"
	"sync/atomic"
)

// errPoolFull is the ErrQueueFull of a connection whose own queue has space.
var errPoolFull = fmt.Errorf("%w: the queues of all peers together hold too many bytes", ErrQueueFull)

// QueuePool bounds the outbound bytes of all connections of a node. Each connection has a share of its own
// (Limits.QueueShare), so an empty queue always takes messages. Bytes above the share come from the pool:
//
//	all queues ≤ connections × share + pool, and one message of any size in each empty queue
//
// The zero value has no limit. Safe for concurrent use.
type QueuePool struct {
	limit atomic.Int64 // bytes; 0: no limit
	used  atomic.Int64
}

// SetLimit sets the limit in bytes. Bytes beyond a lowered limit stay in their queues.
func (p *QueuePool) SetLimit(bytes int64) { p.limit.Store(bytes) }

// Used returns the bytes that queues hold above their shares.
func (p *QueuePool) Used() int64 { return p.used.Load() }

// take takes n bytes, or none of them if that would exceed the limit. forced ignores the limit.
func (p *QueuePool) take(n int, forced bool) bool {
	limit := p.limit.Load()
	if p.used.Add(int64(n)) > limit && limit > 0 && !forced {
		p.used.Add(-int64(n))
		return false
	}
	return true
}

// borrowed returns the bytes that the outbox takes from the pool when it holds count bytes. The caller holds mu.
func (o *outbox) borrowed(count int) int {
	if o.closed || o.node.Queues == nil {
		return 0
	}
	return max(0, count-o.node.Limits.QueueShare)
}

// charge adds size bytes to the count of the outbox. Without forced it fails if the pool has too few. The caller holds
// mu.
func (o *outbox) charge(size int, forced bool) bool {
	if more := o.borrowed(o.count+size) - o.borrowed(o.count); more > 0 && !o.node.Queues.take(more, forced) {
		return false
	}
	o.count += size
	return true
}

// discharge subtracts size bytes from the count of the outbox. The caller holds mu.
func (o *outbox) discharge(size int) {
	if less := o.borrowed(o.count) - o.borrowed(o.count-size); less > 0 {
		o.node.Queues.used.Add(-int64(less))
	}
	o.count -= size
}

// settle returns all borrowed bytes. It precedes closed, after which the outbox borrows nothing. The caller holds mu.
func (o *outbox) settle() {
	if n := o.borrowed(o.count); n > 0 {
		o.node.Queues.used.Add(-int64(n))
	}
}
