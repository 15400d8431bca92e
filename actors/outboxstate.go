package actors

import "time"

// stalled reports whether the writer has made no progress for grace or longer on the running clock.
func (o *outbox) stalled(grace time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.running && o.node.Running.Left(time.Now(), o.since.Add(grace)) <= 0
}

// relieved reports whether the outbox is at most half full.
func (o *outbox) relieved() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages <= o.node.Limits.QueueMessages/2 && o.count <= o.node.Limits.QueueBytes/2
}

// depth returns the number and bytes of queued messages.
func (o *outbox) depth() (messages, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages, o.count
}

// ownWaiting returns the number of queued messages of the connection itself.
func (o *outbox) ownWaiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.own)
}
