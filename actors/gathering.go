package actors

import "github.com/Snider/go-p2p/wire"

// Gathering delays the writers of connections while its owner queues several messages, so that the writer of each peer
// sends them in one system call and, in a session, in one record:
//
//	Broadcast, post to each peer, Broadcast, post to each peer, …, Flush → one start per writer
//	PostFor, PostFor, …, Flush
//
// A writer starts at once if 64 KiB or half of the limit of messages wait. Frames of the connection itself and
// messages of Handle.Post and Handle.Send do not wait for Flush: their writer takes the messages before them along. The
// zero value is ready. Not safe for concurrent use.
type Gathering struct{ waiting []*Handle }

// Broadcast is Node.Broadcast whose post leaves the start of the writer to Flush. The owner calls post, too.
func (g *Gathering) Broadcast(msg *wire.Message) (post func(to *Handle) error, err error) {
	return broadcast(msg, g)
}

// PostFor is Handle.Post with a result, and the writer waits for Flush. A nil Gathering starts it at once. If PostFor
// returns an error, the result is not called.
func (g *Gathering) PostFor(to *Handle, msg *wire.Message, result Result) error {
	return to.post(msg, result, false, g)
}

// post queues a frame of size bytes. Without a gathering the writer starts at once.
func (g *Gathering) post(to *Handle, f *frame, size int) error {
	if g == nil {
		return to.outbox.post(f, size)
	}
	first, err := to.outbox.postLater(f, size)
	if first {
		g.waiting = append(g.waiting, to)
	}
	return err
}

// Flush starts the writers of all connections with messages that wait for it.
func (g *Gathering) Flush() {
	for _, to := range g.waiting {
		if to.outbox.claim(&to.outbox) {
			to.startWriter(to.outbox.work)
		}
	}
	clear(g.waiting)
	g.waiting = g.waiting[:0]
}

// postLater is post, but starts the writer only if much waits. later reports whether the caller has to start it with
// claim: true once for all messages that wait together.
func (o *outbox) postLater(f *frame, size int) (later bool, err error) {
	o.mu.Lock()
	if err := o.admitPost(f, size); err != nil {
		o.mu.Unlock()
		return false, err
	}
	first := o.waiting == nil
	due := o.queue(f)
	much := o.bytes >= flushAt || o.messages > o.node.Limits.QueueMessages/2
	start := due && much && o.start(o)
	later = due && first && !o.running
	o.mu.Unlock()
	if start {
		o.host.startWriter(o.work)
	}
	return later, nil
}
