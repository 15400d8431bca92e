package systems

import "encoding/binary"

// Just as much WebSocket as a flock needs.
const (
	opText   = 0x81
	opBinary = 0x82
)

// appendFrame appends one frame of a client, masked with zeroes, which leaves the payload as it is.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}

// header returns the lengths of the frame that data begins with, ok false while that is not known.
func header(data []byte) (head, payload int, ok bool) {
	if len(data) < 2 {
		return 0, 0, false
	}
	switch short := data[1] & 0x7f; {
	case short < 126:
		return 2, int(short), true
	case short == 126 && len(data) >= 4:
		return 4, int(binary.BigEndian.Uint16(data[2:])), true
	case short == 127 && len(data) >= 10:
		return 10, int(binary.BigEndian.Uint64(data[2:])), true
	}
	return 0, 0, false
}

// frameCounter counts the frames of a stream that are long enough, each when it is whole; the payloads are only
// skipped.
type frameCounter struct {
	atLeast int
	skip    int    // bytes to the end of the frame at hand
	counts  int    // 1 when it is long enough
	head    []byte // the beginning of a header that has not come whole
}

// take counts the frames that end in the next bytes of the stream.
func (c *frameCounter) take(data []byte) (came int) {
	if len(c.head) > 0 {
		data = append(c.head, data...)
		c.head = nil
	}
	for {
		step := min(c.skip, len(data))
		c.skip -= step
		data = data[step:]
		if c.skip > 0 {
			return came
		}
		came += c.counts
		c.counts = 0
		head, payload, ok := header(data)
		if !ok {
			c.head = append(c.head, data...)
			return came
		}
		if c.skip = head + payload; payload >= c.atLeast {
			c.counts = 1
		}
	}
}
