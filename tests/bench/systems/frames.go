package systems

import "encoding/binary"

// The part of the WebSocket protocol that a flock needs.
const (
	opText   = 0x81
	opBinary = 0x82
)

// appendFrame appends one frame of a client. A mask of zeroes leaves the payload unchanged.
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

// header returns the header and payload lengths of the frame at the start of data. ok is false if the header is
// incomplete.
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

// frameCounter counts the messages in the complete frames of a stream. It skips the payloads.
type frameCounter struct {
	count  *Counting
	skip   int    // bytes to the end of the current frame
	counts int    // messages of the current frame
	head   []byte // incomplete header
}

// take returns the number of messages in the frames that end in data, the next bytes of the stream.
func (c *frameCounter) take(data []byte) (messages int) {
	if len(c.head) > 0 {
		data = append(c.head, data...)
		c.head = nil
	}
	for {
		step := min(c.skip, len(data))
		c.skip -= step
		data = data[step:]
		if c.skip > 0 {
			return messages
		}
		messages += c.counts
		c.counts = 0
		head, payload, ok := header(data)
		if !ok {
			c.head = append(c.head, data...)
			return messages
		}
		c.skip, c.counts = head+payload, c.count.messages(payload)
	}
}
