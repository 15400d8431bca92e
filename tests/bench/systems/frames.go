package systems

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

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

// upgrade asks for the WebSocket; the answer's key is not looked at.
func upgrade(conn net.Conn, r *frameReader, host string) error {
	request := "GET /ws HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	for {
		if end := bytes.Index(r.data, []byte("\r\n\r\n")); end >= 0 {
			head := string(r.data[:end])
			r.data = r.data[end+4:]
			if !strings.HasPrefix(head, "HTTP/1.1 101") {
				return fmt.Errorf("no upgrade: %.60q", head)
			}
			return nil
		}
		if err := r.more(); err != nil {
			return err
		}
	}
}

// frameReader reads a server's frames.
type frameReader struct {
	conn net.Conn
	data []byte // read, not used yet
}

func (r *frameReader) more() error {
	buffer := make([]byte, 2048)
	n, err := r.conn.Read(buffer)
	r.data = append(r.data, buffer[:n]...)
	return err
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

// message reads one whole frame.
func (r *frameReader) message() ([]byte, error) {
	for {
		if head, payload, ok := header(r.data); ok && len(r.data) >= head+payload {
			message := r.data[head : head+payload]
			r.data = r.data[head+payload:]
			return message, nil
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// frameCounter counts the frames of a stream that are long enough, each when it is whole; the payloads are only skipped.
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
