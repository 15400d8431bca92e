package actors

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// How long a socket is kept open after its last word. Closed with something unread, TCP resets the connection and takes
// away what the peer has not read yet: so what still comes is read and thrown away. Who sends nothing for lingerSilence
// is not waited for, and nobody for longer than lingerTimeout, so that a flood holds no slot.
const (
	lingerSilence = time.Second
	lingerTimeout = 5 * time.Second
)

// lingering is the end of a socket that has said its last word.
type lingering struct {
	until time.Time // on the running clock
	timer *RunningTimer
}

// Close says goodbye with a WebSocket close frame and ends our half of the connection. It does not wait: the reading
// goroutine goes on until the peer has closed too, or until a limit above. The library's own Close would read beside it.
func (s *Socket) Close(status closeStatus) {
	clock := s.conn.opts.Running
	s.conn.linger.Store(&lingering{until: clock.Now().Add(lingerTimeout), timer: clock.AfterFunc(lingerSilence, s.Abort)})
	s.conn.lastWord(closeFrame(status, s.dialled))
}

// closeFrame is a WebSocket close frame; what an initiator sends is masked.
func closeFrame(status closeStatus, masked bool) []byte {
	frame := []byte{0x88, byte(2 + len(status.reason))}
	var mask [4]byte
	if masked {
		_, _ = rand.Read(mask[:]) // never fails
		frame[1] |= 0x80
		frame = append(frame, mask[:]...)
	}
	head := len(frame)
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(status.code)), status.reason...)
	for i := range frame[head:] {
		frame[head+i] ^= mask[i%4]
	}
	return frame
}

// lastWord writes the last there is, and ends our half of the connection, where it has halves. Nothing goes out after it:
// the library's pongs, for one. A pong that is half written is spoilt, and with it the last word, to the loss of the peer
// alone that asked for it.
func (c *corkConn) lastWord(frame []byte) {
	c.turn.take()
	defer c.turn.give()
	_, err := c.write(frame) // the reader sees what has failed
	c.mute = true
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
	}
}

// heard puts off the end of a lingering connection by n bytes that have come.
func (c *corkConn) heard(n int) {
	if l := c.linger.Load(); l != nil && n > 0 {
		l.timer.Reset(max(0, min(lingerSilence, l.until.Sub(c.opts.Running.Now()))))
	}
}

// left is for the reader, when it has ended.
func (c *corkConn) left() {
	if l := c.linger.Load(); l != nil {
		l.timer.Stop()
	}
}
