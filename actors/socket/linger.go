package socket

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/runclock"
)

// How long a socket is kept open after its last word. Closed with something unread, TCP resets the connection and takes
// away what the peer has not read yet: so what still comes is read and thrown away. Who sends nothing for LingerSilence
// is not waited for, and nobody for longer than LingerTimeout, so that a flood holds no slot.
const (
	LingerSilence = time.Second
	LingerTimeout = 5 * time.Second
)

// lingering is the end of a socket that has said its last word.
type lingering struct {
	until time.Time // on the running clock
	timer *runclock.Timer
}

// Close says goodbye with a WebSocket close frame and ends our half of the connection. It does not wait: the reading
// goroutine goes on until the peer has closed too, or until a limit above. The library's own Close would read beside it.
func (s *Conn) Close(status CloseStatus) {
	clock := s.conn.opts.Running
	s.conn.linger.Store(&lingering{until: clock.Now().Add(LingerTimeout), timer: clock.AfterFunc(LingerSilence, s.Abort)})
	s.conn.writeClose(closeFrame(status, s.dialled))
}

// CloseForViolation sends a close frame with status 1002 (protocol error) and ends our half of the connection. The library
// answers most violations with a close frame, but not an unmasked frame, and it may still be corked. A peer discards a
// second close frame.
func (c *Conn) CloseForViolation() {
	c.conn.writeClose(closeFrame(CloseStatus{Code: websocket.StatusProtocolError}, c.dialled))
}

// closeFrame is a WebSocket close frame; what an initiator sends is masked.
func closeFrame(status CloseStatus, masked bool) []byte {
	frame := []byte{0x88, byte(2 + len(status.Reason))}
	var mask [4]byte
	if masked {
		_, _ = rand.Read(mask[:]) // never fails
		frame[1] |= 0x80
		frame = append(frame, mask[:]...)
	}
	head := len(frame)
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(status.Code)), status.Reason...)
	for i := range frame[head:] {
		frame[head+i] ^= mask[i%4]
	}
	return frame
}

// lastWord writes the last there is, and ends our half of the connection, where it has halves. Nothing goes out after it:
// the library's pongs, for one. A pong that is half written is spoilt, and with it the last word, to the loss of the peer
// alone that asked for it.
func (c *corkConn) writeClose(frame []byte) {
	c.mu.lock()
	defer c.mu.unlock()
	_, err := c.write(frame) // the reader sees what has failed
	c.closeSent = true
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
	}
}

// heard puts off the end of a lingering connection by n bytes that have come.
func (c *corkConn) extendLinger(n int) {
	if l := c.linger.Load(); l != nil && n > 0 {
		l.timer.Reset(max(0, min(LingerSilence, l.until.Sub(c.opts.Running.Now()))))
	}
}

// left is for the reader, when it has ended.
func (c *corkConn) stopLinger() {
	if l := c.linger.Load(); l != nil {
		l.timer.Stop()
	}
}
