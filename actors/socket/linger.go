package socket

import (
	"encoding/binary"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/runclock"
)

// How long a closed socket lingers. If a TCP socket is closed with unread data, TCP resets the connection, and the
// peer loses data that it has not read yet. So incoming data is read and discarded: until the peer sends nothing for
// LingerSilence, and at most for LingerTimeout, so that a flood holds no slot.
const (
	LingerSilence = time.Second
	LingerTimeout = 5 * time.Second
)

// lingering is the state of a socket after its close frame.
type lingering struct {
	until time.Time // on the running clock
	timer *runclock.Timer
}

// Close sends a WebSocket close frame and closes our half of the connection. It does not wait: the reader continues
// until the peer has closed its half or a limit above is reached. The library's own Close would read concurrently.
func (s *Conn) Close(status CloseStatus) {
	clock := s.conn.opts.Running
	s.conn.linger.Store(&lingering{until: clock.Now().Add(LingerTimeout), timer: clock.AfterFunc(LingerSilence, s.Abort)})
	s.conn.writeClose(closeFrame(status, s.dialled))
}

// CloseForViolation sends a close frame with status 1002 (protocol error) and ends our half of the connection. The
// library answers most violations with a close frame, but not an unmasked frame, and it may still be corked. A peer
// discards a second close frame.
func (c *Conn) CloseForViolation() {
	c.conn.writeClose(closeFrame(CloseStatus{Code: websocket.StatusProtocolError}, c.dialled))
}

// closeFrame returns a WebSocket close frame, masked for a client.
func closeFrame(status CloseStatus, masked bool) []byte {
	payload := append(binary.BigEndian.AppendUint16(nil, uint16(status.Code)), status.Reason...)
	return appendFrame(nil, frameClose, payload, masked)
}

// writeClose writes a close frame and closes our half of the connection if that is possible. Later writes, such as the
// library's pongs, are discarded.
func (c *corkConn) writeClose(frame []byte) {
	c.mu.lock()
	defer c.mu.unlock()
	_, err := c.write(c.Conn, frame) // the reader reports the error
	c.closeSent = true
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
	}
}

// extendLinger postpones the end of a lingering connection after n received bytes.
func (c *corkConn) extendLinger(n int) {
	if l := c.linger.Load(); l != nil && n > 0 {
		l.timer.Reset(max(0, min(LingerSilence, l.until.Sub(c.opts.Running.Now()))))
	}
}

// stopLinger is called when the reader has ended.
func (c *corkConn) stopLinger() {
	if l := c.linger.Load(); l != nil {
		l.timer.Stop()
	}
}
