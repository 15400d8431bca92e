package systems

import (
	"bytes"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// Flock is many peers that use little CPU time, so that a measurement shows the node that they connect to. It prepares
// keys, shared secrets and handshakes in advance. The peers follow the protocol until the node has verified them, count
// frames without opening them, and can send sealed messages at a steady rate. The same flock is used for every system
// that speaks WebSocket.
type Flock struct {
	peers   []*puppet
	atLeast int // minimum bytes of a counted frame; shorter ones are pings
	host    string

	watch  *watch
	frames atomic.Int64
	per    atomic.Int64
	mark   chan struct{} // capacity 1
}

// NewFlock prepares n peers for the node at an address that its Listen returned. The flock counts frames of at least
// atLeast bytes.
func NewFlock(address string, n, atLeast int) (*Flock, error) {
	f := &Flock{atLeast: atLeast, mark: make(chan struct{}, 1)}
	var err error
	if f.watch, err = newWatch(f.received); err != nil {
		return nil, err
	}
	parts := strings.Split(address, " ")
	f.host = parts[0]
	for range n {
		p := &puppet{}
		if len(parts) == 3 {
			if err := p.prepare(parts[1], parts[2]); err != nil {
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

// Marks resets the count of frames. The returned channel then signals the arrival of each further per frames.
func (f *Flock) Marks(per int) <-chan struct{} {
	f.per.Store(int64(per))
	f.frames.Store(0)
	return f.mark
}

// Frames returns the number of frames received since the last call of Marks.
func (f *Flock) Frames() int64 { return f.frames.Load() }

func (f *Flock) received(n int) {
	per := f.per.Load()
	if now := f.frames.Add(int64(n)); now/per != (now-int64(n))/per {
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

// puppet is one peer of a flock.
type puppet struct {
	conn descriptor // set when connected

	id, node  string
	handshake []byte // complete frame; nil: the system has no handshake
	hello     []byte // complete frame of the first message, which proves the key
	sealer    *smsg.Sealer
	text      []byte // reused
	body      []byte
	frame     []byte
}

func (p *puppet) prepare(nodeKey, nodeID string) error {
	keys, err := crypto.NewEphemeralNodeManager("puppet", crypto.RoleWorker)
	if err != nil {
		return err
	}
	key, err := crypto.ParsePublicKey(nodeKey)
	if err != nil {
		return err
	}
	secret, err := keys.SharedSecret(key)
	if err != nil {
		return err
	}
	shared, err := smsg.NewKey(secret)
	if err != nil {
		return err
	}
	if p.sealer, err = shared.NewSealer(nil); err != nil {
		return err
	}
	self := keys.Identity()
	p.id, p.node = self.ID, nodeID
	challenge, err := crypto.GenerateChallenge(nil)
	if err != nil {
		return err
	}
	hello, err := wire.NewMessage(wire.MsgHandshake, p.id, "", wire.HandshakePayload{
		Identity: wire.Identity{
			ID: self.ID, Name: self.Name, PublicKey: self.PublicKey, CreatedAt: self.CreatedAt, Role: string(self.Role),
		},
		Challenge: challenge, Version: wire.ProtocolVersion,
	})
	if err != nil {
		return err
	}
	text, err := hello.AppendJSON(nil)
	p.handshake = appendFrame(nil, opText, text)
	if err == nil {
		err = p.seal("hello", "")
	}
	p.hello = bytes.Clone(p.frame)
	return err
}

// say seals and writes one message.
func (p *puppet) say(kind wire.MessageType, text string) error {
	if err := p.seal(kind, text); err != nil {
		return err
	}
	_, err := p.conn.Write(p.frame)
	return err
}

// seal writes the frame of one message into p.frame.
func (p *puppet) seal(kind wire.MessageType, text string) error {
	msg, err := wire.NewMessage(kind, p.id, p.node, text)
	if err != nil {
		return err
	}
	if p.text, err = wire.AppendSealedBody(p.text[:0], msg, time.Now()); err != nil {
		return err
	}
	p.text = append(p.text, wire.NewSealedEnd(nil)...)
	p.body = p.sealer.Seal(p.body[:0], p.text)
	p.frame = appendFrame(p.frame[:0], opBinary, p.body)
	return nil
}
