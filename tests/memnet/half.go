package memnet

import "net"

// CloseWrite ends one direction, as TCP does: the other end reads all written bytes and then the end of the stream, and
// may still write.
func (e *end) CloseWrite() error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	switch {
	case e.closed:
		return e.fault("close", net.ErrClosed)
	case e.dead != nil:
		return e.fault("close", e.dead)
	case e.halved || e.mute:
		return nil
	}
	e.halved = true
	e.send(segment{kind: fin})
	return nil
}
