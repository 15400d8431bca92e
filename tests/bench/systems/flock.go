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
	atLeast int // bytes of a frame that counts; shorter ones are pings
	host    string

	watch  *watch
	frames atomic.Int64
	per    atomic.Int64
	mark   chan struct{} // has room for one
}

// NewFlock prepares n peers for the node at an address that its Listen returned. atLeast is the size from which frames
// are counted.
func NewFlock(address string, n, atLeast int) (*Flock, error) {
	f := &Flock{atLeast: atLeast, mark: make(chan struct{}, 1)}
	var err error
	if f.watch, err = newWatch(f.came); err != nil {
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

// Connect opens the next n connections, parallel at a time, and returns how long that took.
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

// Marks makes the flock signal on the returned channel when another per frames have come.
func (f *Flock) Marks(per int) <-chan struct{} {
	f.per.Store(int64(per))
	f.frames.Store(0)
	return f.mark
}

// Frames returns how many frames have come since the last call of Marks.
func (f *Flock) Frames() int64 { return f.frames.Load() }

func (f *Flock) came(n int) {
	per := f.per.Load()
	if now := f.frames.Add(int64(n)); now/per != (now-int64(n))/per {
		select {
		case f.mark <- struct{}{}:
		default: // it will look at the count anyhow
		}
	}
}

// Speak sends n messages of size bytes, one after the other around the first conns connections, at rate a second, and
// returns how long it took.
func (f *Flock) Speak(conns, n, size int, rate float64) (time.Duration, error) {
	text := strings.Repeat("x", size)
	began := time.Now()
	for i := range n {
		if due := began.Add(time.Duration(float64(i) / rate * float64(time.Second))); i%16 == 0 {
			time.Sleep(time.Until(due)) // a handful at a time: a timer is not finer
		}
		if err := f.peers[i%conns].say(typeCounted, text); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// Close cuts every connection.
func (f *Flock) Close() { f.watch.close() }

// puppet is one peer of a flock.
type puppet struct {
	conn descriptor // once it is connected

	id, node  string
	handshake []byte // the frame; nil: there is no protocol
	hello     []byte // the frame of the first message, which is the proof
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

// seal makes the frame of one message.
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
