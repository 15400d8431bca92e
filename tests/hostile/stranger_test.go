package hostile

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// stranger is a raw WebSocket to a node that does not follow the protocol.
type stranger struct {
	*websocket.Conn
	t *testing.T
}

// knock opens a WebSocket to a node and sends nothing.
func knock(t *testing.T, url string) *stranger {
	t.Helper()
	ws, status, err := tryKnock(url)
	if err != nil {
		t.Fatalf("the upgrade failed: %v, HTTP status %d", err, status)
	}
	t.Cleanup(func() { ws.Close() })
	return &stranger{ws, t}
}

// tryKnock is knock that returns the error and the HTTP status.
func tryKnock(url string) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	ws, resp, err := dialer.Dial(url, nil)
	if resp == nil {
		return ws, 0, err
	}
	return ws, resp.StatusCode, err
}

// claim sends a handshake with the public identity of a peer, which needs no key, and returns its challenge.
func (s *stranger) claim(who refpeer.Public, challenge []byte) {
	s.t.Helper()
	if challenge == nil {
		challenge = make([]byte, 32)
		rand.Read(challenge)
	}
	s.plain(refpeer.TypeHandshake, who.ID, map[string]any{
		"identity": who, "challenge": base64.StdEncoding.EncodeToString(challenge), "version": "1.0",
	})
}

// plain sends an unencrypted message.
func (s *stranger) plain(typ, from string, payload any) {
	s.t.Helper()
	e, err := refpeer.NewEnvelope(typ, from, "", payload)
	must(s.t, err)
	text, err := json.Marshal(e)
	must(s.t, err)
	must(s.t, s.WriteMessage(websocket.TextMessage, text))
}

// read returns the next message without decoding it.
func (s *stranger) read() ([]byte, error) {
	must(s.t, s.SetReadDeadline(time.Now().Add(patience)))
	_, data, err := s.ReadMessage()
	return data, err
}

// ack is the part of the handshake's answer that a stranger reads.
type ack struct {
	ChallengeResponse string `json:"challengeResponse"`
	Accepted          bool   `json:"accepted"`
	Reason            string `json:"reason"`
}

// answer returns the handshake's answer.
func (s *stranger) answer() ack {
	s.t.Helper()
	text, err := s.read()
	if err != nil {
		s.t.Fatalf("no answer to the handshake: %v", err)
	}
	var e refpeer.Envelope
	must(s.t, json.Unmarshal(text, &e))
	var a ack
	must(s.t, json.Unmarshal(e.Payload, &a))
	if e.Type != refpeer.TypeHandshakeAck {
		s.t.Fatalf("the answer is a %q", e.Type)
	}
	return a
}

// impostor connects with the public identity of a peer and without its key. The connection is open and unverified.
func impostor(t *testing.T, url string, who refpeer.Public) *stranger {
	t.Helper()
	s := knock(t, url)
	s.claim(who, nil)
	if a := s.answer(); !a.Accepted {
		t.Fatalf("refused at once: %q", a.Reason)
	}
	return s
}

// end reads until the node has ended the connection and returns the close status, -1 without a close frame.
func (s *stranger) end() int {
	s.t.Helper()
	for {
		_, err := s.read()
		if err == nil {
			continue
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			s.t.Fatalf("the node has not closed within %v", patience)
		}
		if closed, ok := err.(*websocket.CloseError); ok {
			return closed.Code
		}
		return -1
	}
}

// upgraded opens a WebSocket without a library, for tests that write its frames.
func upgraded(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address)
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, nil)
	must(t, err)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("HTTP status %d instead of an upgrade", resp.StatusCode)
	}
	return conn, reader
}

// awaitClosed reads until the other side has closed.
func awaitClosed(t *testing.T, conn net.Conn, r io.Reader) {
	t.Helper()
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, r)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Fatalf("the node has not closed within %v", patience)
	}
}
