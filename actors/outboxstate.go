package actors

import "time"

// unpushed returns how many messages have room and are not pushed yet.
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

// relieved reports whether half of the room is free again.
func (o *outbox) relieved() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages <= o.node.Limits.QueueMessages/2 && o.count <= o.node.Limits.QueueBytes/2
}

// depth returns how many messages and bytes wait, those in the actor's mailbox included.
func (o *outbox) depth() (messages, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages, o.count
}

// ownWaiting returns how many of the connection's own messages wait.
func (o *outbox) ownWaiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.own)
}
