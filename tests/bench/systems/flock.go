package systems

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/crypto/session"
)

// Flock is many peers that use little CPU time, so that a measurement shows the node that they connect to. It prepares
// keys, shared secrets and handshakes in advance. The peers follow the protocol, with sessions or with SMSG, until the
// node has verified them, count messages by the sizes of frames without opening them, and can send sealed messages at a
// steady rate. The same flock is used for every system that speaks WebSocket.
type Flock struct {
	peers []*puppet
	count Counting
	host  string

	watch    *watch
	messages atomic.Int64
	per      atomic.Int64
	mark     chan struct{} // capacity 1
}

// Counting tells which frames a flock counts, and as how many messages.
type Counting struct {
	Session bool // the peers offer sessions
	// Size is in a session the size of each message in a record, in bytes: a record holds several, and pings between them
	// that are together smaller. Otherwise it is the minimum size of a counted frame; shorter ones are pings.
	Size int
}

// messages returns the number of messages in a frame with a payload of the given size, in bytes.
func (c *Counting) messages(payload int) int {
	switch {
	case c.Session && c.Size > 0:
		return (payload - session.Overhead) / c.Size
	case payload >= c.Size:
		return 1
	}
	return 0
}

// NewFlock prepares n peers for the node at an address that its Listen returned.
func NewFlock(address string, n int, count Counting) (*Flock, error) {
	f := &Flock{count: count, mark: make(chan struct{}, 1)}
	var err error
	if f.watch, err = newWatch(f.received); err != nil {
		return nil, err
	}
	parts := strings.Split(address, " ")
	f.host = parts[0]
	for range n {
		p := &puppet{}
		if len(parts) == 3 {
			if err := p.prepare(parts[1], parts[2], count.Session); err != nil {
				return nil, err
			}
		}
		f.peers = append(f.peers, p)
	}
	f.per.Store(1)
	return f, nil
}

// Connect opens the connections of n peers, beginning with index from, parallel at a time, and returns the duration.
func (f *Flock) Connect(from, n, parallel int) (time.Duration, error) {
	began := time.Now()
	d, err := newDialing(f)
	if err != nil {
		return 0, err
	}
	defer d.close()
	err = d.run(f.peers[from:from+n], parallel)
	return time.Since(began), err
}

// Marks resets the count of messages. The returned channel then signals the arrival of each further per messages.
func (f *Flock) Marks(per int) <-chan struct{} {
	f.per.Store(int64(per))
	f.messages.Store(0)
	return f.mark
}

// Messages returns the number of messages received since the last call of Marks.
func (f *Flock) Messages() int64 { return f.messages.Load() }

func (f *Flock) received(n int) {
	per := f.per.Load()
	if now := f.messages.Add(int64(n)); now/per != (now-int64(n))/per {
		select {
		case f.mark <- struct{}{}:
		default: // a signal is already pending
		}
	}
}

// Speak sends n messages with payloads of size bytes, round robin over the first conns connections, at rate messages
// per second, and returns the duration.
func (f *Flock) Speak(conns, n, size int, rate float64) (time.Duration, error) {
	text := strings.Repeat("x", size)
	began := time.Now()
	for i := range n {
		if due := began.Add(time.Duration(float64(i) / rate * float64(time.Second))); i%16 == 0 {
			time.Sleep(time.Until(due)) // batches of 16, because timers are too coarse for single messages
		}
		if err := f.peers[i%conns].say(typeCounted, text); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// Close closes every connection.
func (f *Flock) Close() { f.watch.close() }
