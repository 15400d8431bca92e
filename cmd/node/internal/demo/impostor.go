package demo

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// WebSocket opcodes, RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
)

// impostorCalls opens a raw connection to alice, because our nodes cannot send false claims: it sends a handshake with
// bob's public identity and then a forged frame.
func impostorCalls(ctx context.Context, m *mesh) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.alice.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	from := bufio.NewReader(conn)
	if err := upgrade(conn, from); err != nil {
		return err
	}
	if err := claimToBe(conn, m.bob); err != nil {
		return err
	}
	m.note("mallory → alice  handshake with the identity of bob, %.8s…", m.bob.id)
	if _, err := from.Peek(2); err != nil { // the handshake_ack: alice has opened the connection
		return fmt.Errorf("alice does not answer: %w", err)
	}
	forged := make([]byte, 256)
	if _, err := rand.Read(forged); err != nil {
		return err
	}
	copy(forged, "SMSG\x02")
	if err := writeFrame(conn, opBinary, forged); err != nil {
		return err
	}
	m.note("mallory → alice  a frame that does not open with bob's key")
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return m.await(within, "alice counts the forged frame", func() bool {
		return m.growth(m.alice, "framesMalformed") > 0
	})
}

func upgrade(conn io.Writer, from *bufio.Reader) error {
	key := base64.StdEncoding.EncodeToString([]byte("demo of impostor"))
	_, err := fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", key)
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the upgrade was answered with %s", response.Status)
	}
	return nil
}

// claimToBe sends a handshake with the identity of victim.
func claimToBe(conn io.Writer, victim *member) error {
	id := victim.Identity()
	challenge := make([]byte, 32)
	if _, err := rand.Read(challenge); err != nil {
		return err
	}
	msg, err := wire.NewMessage(wire.MsgHandshake, id.ID, "", wire.HandshakePayload{
		Identity: wire.Identity{
			ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt, Role: string(id.Role),
		},
		Challenge: challenge,
		Version:   wire.ProtocolVersion,
	})
	if err != nil {
		return err
	}
	text, err := msg.AppendJSON(nil)
	if err != nil {
		return err
	}
	return writeFrame(conn, opText, text)
}

// writeFrame writes one WebSocket message of less than 64 KiB, with a mask of zeros.
func writeFrame(to io.Writer, opcode byte, data []byte) error {
	frame := []byte{0x80 | opcode, 0x80 | 126}
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(data)))
	frame = append(frame, 0, 0, 0, 0)
	_, err := to.Write(append(frame, data...))
	return err
}
