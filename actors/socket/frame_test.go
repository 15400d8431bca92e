package socket

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/sockettest"
)

// The examples of RFC 6455, section 5.7.
func TestFramesMatchTheExamples(t *testing.T) {
	long := make([]byte, 1<<16)
	for _, c := range []struct {
		frame []byte
		want  string
	}{
		{appendFrame(nil, frameText, []byte("Hello"), false), "\x81\x05Hello"},
		{
			appendMasked([]byte("\x81\x85\x37\xfa\x21\x3d"), []byte("Hello"), [4]byte{0x37, 0xfa, 0x21, 0x3d}),
			"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
		},
		{appendFrame(nil, frameBinary, long[:256], false)[:4], "\x82\x7e\x01\x00"},
		{appendFrame(nil, frameBinary, long, false)[:10], "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		if string(c.frame) != c.want {
			t.Errorf("got % x, want % x", c.frame, c.want)
		}
	}
	one, other := appendFrame(nil, frameText, []byte("Hello"), true), appendFrame(nil, frameText, []byte("Hello"), true)
	if bytes.Equal(one[2:6], other[2:6]) {
		t.Errorf("two frames have the mask % x", one[2:6])
	}
}

// The library reads frames of both roles at each boundary of the length and of the repeated mask.
func TestFramesAreReadByTheLibrary(t *testing.T) {
	payload := make([]byte, 1<<17)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	for _, size := range []int{0, 1, 7, 125, 126, 1023, 1024, 1025, 1<<16 - 1, 1 << 16, 1 << 17} {
		synctest.Test(t, func(t *testing.T) {
			server := newPair(t, testOptions())
			server.theirs.SetReadLimit(1 << 20)
			go func() {
				if err := server.ours.Write(payload[:size], false); err != nil {
					t.Error(err)
				}
			}()
			if got := sockettest.ReadOne(t, server.theirs); !bytes.Equal(got, payload[:size]) {
				t.Errorf("of a server: %d bytes differ", size)
			}
			client := newRawPeer(t, testOptions())
			go func() {
				if err := client.write(appendFrame(nil, frameText, payload[:size], true)); err != nil {
					t.Error(err)
				}
			}()
			if got, err := readMessage(client.ours); err != nil || !client.ours.Text() || !bytes.Equal(got, payload[:size]) {
				t.Errorf("of a client: %d bytes differ (%v)", size, err)
			}
		})
	}
}

// recordConn records the bytes that are written to it.
type recordConn struct {
	net.Conn
	written bytes.Buffer
}

func (c *recordConn) Write(p []byte) (int, error) { return c.written.Write(p) }

func newRecorded(t *testing.T) (c *corkConn, written *bytes.Buffer) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	below := &recordConn{Conn: near}
	c = newCorkConn(below, testOptions())
	c.open = true
	return c, &below.written
}

// The library may write a control frame in parts. A message never gets between them, corked or not.
func TestMessagesAreWrittenBesideControlFrames(t *testing.T) {
	for _, corked := range []bool{false, true} {
		c, written := newRecorded(t)
		if corked {
			c.cork(true)
		}
		for _, part := range []string{"\x8a", "\x85\x01\x02", "\x03\x04", "abcd"} {
			if n, err := c.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("wrote %d bytes, %v", n, err)
			}
		}
		if err := c.writeMessage(frameBinary, []byte("message"), false); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"e", "\x8a\x00"} {
			if _, err := c.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if corked && written.Len() > 0 {
			t.Errorf("%d bytes written while corked", written.Len())
		}
		if err := c.flush(true, func() {}); err != nil {
			t.Fatal(err)
		}
		if want := "\x82\x07message\x8a\x85\x01\x02\x03\x04abcde\x8a\x00"; written.String() != want {
			t.Errorf("corked %v: wrote %q, want %q", corked, written, want)
		}
	}
}

// No message follows a close frame, of the library or of this node (RFC 6455, section 5.5.1).
func TestMessagesEndWithTheClose(t *testing.T) {
	for name, end := range map[string]func(c *corkConn){
		"of the library": func(c *corkConn) { _, _ = c.Write([]byte("\x88\x02\x03\xe8")) },
		"of this node":   func(c *corkConn) { c.writeClose([]byte("\x88\x02\x03\xe8")) },
	} {
		c, written := newRecorded(t)
		end(c)
		if err := c.writeMessage(frameBinary, []byte("late"), false); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want net.ErrClosed", name, err)
		}
		if written.String() != "\x88\x02\x03\xe8" {
			t.Errorf("%s: wrote %q", name, written)
		}
	}
}
