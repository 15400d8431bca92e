package refpeer

import (
	"encoding/json"
	"slices"
	"time"
)

// read is the reader goroutine of a connection.
func (c *Conn) read() {
	defer close(c.done)
	for {
		kind, frame, err := c.ws.ReadMessage()
		if err != nil {
			c.ws.Close()
			c.note(func() {
				if c.err == nil { // else a faulty record came before the end
					c.err = err
				}
			})
			return
		}
		switch {
		case c.count:
			if len(frame) >= c.least {
				c.note(func() { c.frames++ })
			}
			continue
		case c.late:
			c.note(func() { c.frames, c.unread = c.frames+1, append(c.unread, frame) })
			continue
		}
		var fresh []Envelope
		c.note(func() {
			c.frames++
			before := len(c.inbox)
			err = c.keep(kind, frame)
			fresh = slices.Clone(c.inbox[before:])
		})
		if err != nil {
			c.endSession()
			return
		}
		c.answerPings(fresh)
	}
}

// answerPings sends the pongs for new messages, with Options.Pong.
func (c *Conn) answerPings(fresh []Envelope) {
	for _, e := range fresh {
		if c.pong && e.Type == TypePing {
			c.answer(e)
		}
	}
}

// answer sends the pong for a ping. A failed write needs no report: the reader sees the end of the connection.
func (c *Conn) answer(ping Envelope) {
	var sent struct {
		SentAt int64 `json:"sentAt"`
	}
	if err := json.Unmarshal(ping.Payload, &sent); err != nil {
		return
	}
	c.Reply(ping, TypePong, map[string]int64{"sentAt": sent.SentAt, "receivedAt": time.Now().UnixMilli()})
}

// note changes the state and wakes all goroutines that wait for a change.
func (c *Conn) note(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.more)
	c.more = make(chan struct{})
}

// keep opens a frame or record and puts its messages into the inbox, or counts it as unopened. An error is final: the
// session must end. The caller holds c.mu.
func (c *Conn) keep(kind int, frame []byte) error {
	if c.session != nil {
		fault := c.keepRecord(kind, frame)
		if fault != nil {
			c.err = fault
		}
		return fault
	}
	e, bind, err := open(frame, c.password)
	if err != nil {
		c.unopened++
		return nil
	}
	if bind != c.peerBind {
		c.unbound++
	}
	c.inbox = append(c.inbox, e)
	return nil
}
