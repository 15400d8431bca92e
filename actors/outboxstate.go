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

// complete removes messages from the accounting, reports their results, and recycles their buffers. bytes is the number
// of bytes that the operating system has accepted for them.
func (o *outbox) complete(batch []*frame, bytes int, err error) {
	frames, handshakes, charged, own := 0, 0, 0, int32(0)
	for _, f := range batch {
		charged += f.charged
		if f.own {
			own++
		}
		if len(f.data) > 0 {
			frames++
		}
		if f.text {
			handshakes++
		}
	}
	o.mu.Lock()
	o.messages -= len(batch)
	o.discharge(charged)
	o.own -= own
	if err == nil {
		o.sent += uint64(frames - handshakes)
	}
	o.mu.Unlock()
	if err == nil {
		o.node.Counters.Add(MessagesSent, frames)
		o.node.Counters.Add(BytesSent, bytes)
	}
	for _, f := range batch {
		f.resolve(err)
		o.node.frames.put(f)
	}
}
