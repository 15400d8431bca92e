package actors

import "time"

// unpushed returns the number of reserved messages that are not pushed yet.
func (o *outbox) unpushed() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.promised)
}

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

// depth returns the number and bytes of queued messages, including those in the actor's mailbox.
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
