package refpeer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const writeTimeout = 10 * time.Second

// Conn is one connection after its handshake. Its methods are safe for concurrent use.
//
// A goroutine reads the socket into an unlimited inbox, so that a busy test does not slow the node under test. With
// Options.Stall the goroutine starts at Resume.
type Conn struct {
	ws       *websocket.Conn
	self     *Identity
	peer     Public
	features []string
	password string
	pong     bool
	count    bool    // frames are counted, not opened
	least    int     // minimum bytes of a counted frame
	late     bool    // frames are opened by Recv
	session  *duplex // nil: SMSG
	ownBind  string  // "meta".bind of our SMSG frames
	peerBind string  // of the peer's

	writing sync.Mutex // gorilla allows one writer at a time
	reading sync.Once
	done    chan struct{} // closed when the reader has ended

	mu       sync.Mutex
	inbox    []Envelope
	unread   [][]byte      // received frames that are not yet opened
	more     chan struct{} // closed and replaced when the inbox or err changes
	frames   int
	unopened int
	unbound  int // SMSG frames that opened without the right bind
	records  []Record
	err      error
}

func newConn(ws *websocket.Conn, o Options, peer Public, features []string, secret []byte) *Conn {
	c := &Conn{
		ws:       ws,
		self:     o.Identity,
		peer:     peer,
		features: features,
		password: password(secret),
		pong:     o.Pong,
		count:    o.CountOnly,
		least:    o.CountSize,
		late:     o.Late,
		done:     make(chan struct{}),
		more:     make(chan struct{}),
	}
	return c
}

// Resume starts the reader of a stalled connection. Otherwise it does nothing.
func (c *Conn) Resume() { c.reading.Do(func() { go c.read() }) }

// Peer returns the identity from the handshake of the other side.
func (c *Conn) Peer() Public { return c.peer }

// Features returns the features that the other side announced.
func (c *Conn) Features() []string { return c.features }

// Password returns the SMSG password of the two nodes, for tests that build their own frames.
func (c *Conn) Password() string { return c.password }

// Send sends one message and returns its ID.
func (c *Conn) Send(typ, to string, payload any) (string, error) {
	e, err := NewEnvelope(typ, c.self.ID, to, payload)
	if err != nil {
		return "", err
	}
	return e.ID, c.SendEnvelope(e)
}

// Reply sends an answer to a message: its ReplyTo is the ID of that message.
func (c *Conn) Reply(to Envelope, typ string, payload any) error {
	e, err := NewEnvelope(typ, c.self.ID, to.From, payload)
	if err != nil {
		return err
	}
	e.ReplyTo = to.ID
	return c.SendEnvelope(e)
}

// SendEnvelope seals and sends v, which is usually but not necessarily an Envelope. In a session an Envelope that fits
// is sent in the binary form, all else as JSON.
func (c *Conn) SendEnvelope(v any) error {
	if c.session != nil {
		return c.SendTogether(v)
	}
	frame, err := c.Seal(v)
	if err != nil {
		return err
	}
	return c.SendRaw(frame)
}

// Seal returns the SMSG frame in which SendEnvelope sends v.
func (c *Conn) Seal(v any) ([]byte, error) {
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return seal(string(text), c.password, c.ownBind)
}

// SendRaw sends one binary WebSocket message unchanged.
func (c *Conn) SendRaw(frame []byte) error { return c.SendMessage(websocket.BinaryMessage, frame) }

// SendMessage sends one WebSocket message of a kind unchanged.
func (c *Conn) SendMessage(kind int, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(kind, data)
}

// write sends one WebSocket message. The caller holds c.writing.
func (c *Conn) write(kind int, data []byte) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return c.ws.WriteMessage(kind, data)
}

// Recv returns the next message of any type, pings included. Messages that arrived before the end of the connection can
// still be received; after them Recv returns the reason for the end.
func (c *Conn) Recv(ctx context.Context) (Envelope, error) {
	for {
		c.mu.Lock()
		if len(c.unread) > 0 {
			frame := c.unread[0]
			c.unread = c.unread[1:]
			_ = c.keep(websocket.BinaryMessage, frame) // a fault is in c.err, after the messages before it
		}
		if len(c.inbox) > 0 {
			e := c.inbox[0]
			c.inbox = c.inbox[1:]
			c.mu.Unlock()
			return e, nil
		}
		err, more, again := c.err, c.more, len(c.unread) > 0
		c.mu.Unlock()
		if again {
			continue
		}
		if err != nil {
			return Envelope{}, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Envelope{}, fmt.Errorf("no message received: %w", ctx.Err())
		}
	}
}

// RecvType returns the next message of one of the types, and drops those before it.
func (c *Conn) RecvType(ctx context.Context, types ...string) (Envelope, error) {
	for {
		e, err := c.Recv(ctx)
		if err != nil || slices.Contains(types, e.Type) {
			return e, err
		}
	}
}

// AwaitFrames waits until n frames have arrived, whether they open or not, and returns the number of all that arrived.
func (c *Conn) AwaitFrames(ctx context.Context, n int) (int, error) {
	for {
		c.mu.Lock()
		frames, err, more := c.frames, c.err, c.more
		c.mu.Unlock()
		if frames >= n || err != nil {
			return frames, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return frames, fmt.Errorf("%d frames of %d received: %w", frames, n, ctx.Err())
		}
	}
}

// Unopened returns the number of frames that did not open or held no envelope.
func (c *Conn) Unopened() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unopened
}

// Done returns a channel that is closed when the connection and its reader have ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns the reason why the connection ended, nil while it is open: *websocket.CloseError after a close frame.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Disconnect sends a disconnect message and closes.
func (c *Conn) Disconnect(reason string, code int) error {
	_, err := c.Send(TypeDisconnect, c.peer.ID, map[string]any{"reason": reason, "code": code})
	c.Close()
	return err
}

// Close closes the socket without a disconnect message and waits for the reader. A second call does nothing.
func (c *Conn) Close() {
	c.ws.Close()
	c.Resume() // a stalled connection ends through its reader too
	<-c.done
}
