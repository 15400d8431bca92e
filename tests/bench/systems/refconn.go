package systems

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// refConn is one connection of the reference path.
type refConn struct {
	node         *reference
	ws           *websocket.Conn
	peer         string
	secret       []byte
	limiter      *refLimiter
	lastActivity atomic.Int64 // deployed nodes write it without a lock

	writing sync.Mutex
}

// send encrypts and writes a message under the connection's lock, with a write deadline that it clears afterwards.
func (c *refConn) send(e *envelope) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	frame, err := sealBorg(e, c.secret)
	if err != nil {
		return err
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(refTimeout)); err != nil {
		return err
	}
	defer func() { _ = c.ws.SetWriteDeadline(time.Time{}) }()
	return c.ws.WriteMessage(websocket.BinaryMessage, frame)
}

// read is the inbound path: limiter, decryption, dedup, handler.
func (c *refConn) read() {
	defer c.remove()
	c.ws.SetReadLimit(refMaxMessage)
	for {
		if err := c.ws.SetReadDeadline(time.Now().Add(refPingInterval + refPongTimeout)); err != nil {
			return
		}
		_, data, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		c.lastActivity.Store(time.Now().UnixNano())
		if !c.limiter.allow() {
			continue
		}
		e, err := openBorg(data, c.secret)
		if err != nil || c.node.dedup.Seen(e.ID) {
			continue
		}
		c.node.handle(c, e)
	}
}

func (c *refConn) remove() {
	c.node.mu.Lock()
	if c.node.conns[c.peer] == c {
		delete(c.node.conns, c.peer)
	}
	c.node.mu.Unlock()
	c.ws.Close()
}

// keepalive sends pings until the connection ends.
func (c *refConn) keepalive() {
	ticker := time.NewTicker(refPingInterval)
	defer ticker.Stop()
	for range ticker.C {
		idle := time.Since(time.Unix(0, c.lastActivity.Load()))
		e, err := newEnvelope("ping", c.node.identity.ID, c.peer, map[string]int64{"sentAt": time.Now().UnixMilli()})
		if err != nil || idle > refPingInterval+refPongTimeout || c.send(e) != nil {
			c.remove()
			return
		}
	}
}

// handle is the message handler of the application.
func (n *reference) handle(c *refConn, e *envelope) {
	switch {
	case e.ReplyTo != "":
		n.asking.Lock()
		answer := n.waiting[e.ReplyTo]
		delete(n.waiting, e.ReplyTo)
		n.asking.Unlock()
		if answer != nil {
			answer <- e
		}
	case e.Type == typeCounted:
		n.tally.Add()
	case e.Type == typeAsk:
		answer, err := newEnvelope(typeAnswer, n.identity.ID, e.From, e.Payload)
		if err != nil {
			return
		}
		answer.ReplyTo = e.ID
		_ = c.send(answer) // the asking end notices a missing answer
	}
}

type refLink struct {
	node *reference
	conn *refConn
}

// Stream uses one goroutine, because the lock of the connection admits only one writer.
func (l *refLink) Stream(n, size int) error {
	text := strings.Repeat("x", size)
	for range n {
		e, err := newEnvelope(typeCounted, l.node.identity.ID, l.conn.peer, text)
		if err != nil {
			return err
		}
		if err := l.conn.send(e); err != nil {
			return err
		}
	}
	return nil
}

func (l *refLink) Ask(size int) error {
	e, err := newEnvelope(typeAsk, l.node.identity.ID, l.conn.peer, strings.Repeat("x", size))
	if err != nil {
		return err
	}
	answer := make(chan *envelope, 1)
	l.node.asking.Lock()
	l.node.waiting[e.ID] = answer
	l.node.asking.Unlock()
	if err := l.conn.send(e); err != nil {
		return err
	}
	got := <-answer
	if len(got.Payload) != size+2 {
		return fmt.Errorf("the answer has %d bytes", len(got.Payload))
	}
	return nil
}
