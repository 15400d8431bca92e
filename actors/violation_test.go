package actors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// openRaw opens a verified connection of the test's peer and returns the network connection below its WebSocket.
func (r *rig) openRaw() (*remote, net.Conn) {
	r.t.Helper()
	var raw net.Conn
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network,
		addr string,
	) (net.Conn, error) {
		conn, err := r.There.DialContext(ctx, network, addr)
		raw = conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ws, _, err := websocket.Dial(r.t.Context(), sockettest.HereURL, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		r.t.Fatal(err)
	}
	p := &remote{farEnd: r.farEnd(ws)}
	p.shake()
	p.send("hello", nil)
	synctest.Wait()
	return p, raw
}

// maskedFrame returns a client's frame with a mask of zeroes.
func maskedFrame(head byte, payload []byte) []byte {
	return append([]byte{head, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func closePayload(status uint16, text string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, status), text...)
}

// A frame that violates the WebSocket protocol closes the connection with 1002, by this node; the peer is told.
func TestViolationEndsWith1002(t *testing.T) {
	frames := map[string][]byte{
		"unmasked frame":           {0x82, 0x01, 'x'},
		"RSV bit":                  maskedFrame(0xC2, []byte("x")),
		"reserved opcode 3":        maskedFrame(0x83, nil),
		"reserved opcode 11":       maskedFrame(0x8B, nil),
		"close code 1005":          maskedFrame(0x88, closePayload(1005, "")),
		"close code 999":           maskedFrame(0x88, closePayload(999, "")),
		"close payload of 1 byte":  maskedFrame(0x88, []byte{3}),
		"continuation of nothing":  maskedFrame(0x80, []byte("x")),
		"fragmented ping":          maskedFrame(0x09, nil),
		"ping of more than 125 B":  {0x89, 0xFE, 0x00, 0x7E, 0, 0, 0, 0},
		"message inside a message": append(maskedFrame(0x02, []byte("x")), maskedFrame(0x82, []byte("x"))...),
	}
	for name, frame := range frames {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p, raw := r.openRaw()
				if _, err := raw.Write(frame); err != nil {
					t.Fatal(err)
				}
				end := r.ended()
				if end.Code != wire.DisconnectProtocolErr || end.Remote ||
					!strings.HasPrefix(end.Reason, socket.ErrProtocol.Error()+": ") || len(end.Reason) > 256 {
					t.Errorf("ended with %+v", end)
				}
				p.pump.Wait()
				if status := websocket.CloseStatus(p.closed); status != websocket.StatusProtocolError {
					t.Errorf("the peer received %v (%v), want 1002", status, p.closed)
				}
				if !r.stopped() {
					t.Error("the slot is not free")
				}
			})
		})
	}
}

// The status and text of a peer's close frame are kept: quoted, escaped, bounded.
func TestPeersCloseStatusIsQuoted(t *testing.T) {
	cases := []struct {
		name    string
		payload []byte
		code    wire.DisconnectCode
		reason  string
	}{
		{"1000", closePayload(1000, "x"), 1000, "closed by the peer"},
		{"1001", closePayload(1001, "x"), 1001, "closed by the peer"},
		{"no status", nil, 1001, "closed by the peer"},
		{"1002", closePayload(1002, ""), 1001, "closed by the peer with WebSocket status 1002"},
		{
			"1009", closePayload(1009, "too \x1b[31mbig"), 1001,
			`closed by the peer with WebSocket status 1009 "too \x1b[31mbig"`,
		},
		{"4999", closePayload(4999, strings.Repeat("x", 120)), 1001, `closed by the peer with WebSocket status 4999 "` +
			strings.Repeat("x", 64) + `"…`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				_, raw := r.openRaw()
				if _, err := raw.Write(maskedFrame(0x88, c.payload)); err != nil {
					t.Fatal(err)
				}
				if end := r.ended(); end != (End{Code: c.code, Reason: c.reason, Remote: true}) {
					t.Errorf("ended with %+v", end)
				}
			})
		})
	}
}

func TestReadEndDuringHandshakeIsReported(t *testing.T) {
	cases := []struct {
		err    error
		reason string
		remote bool
	}{
		{net.ErrClosed, "connection lost during the handshake", false},
		{websocket.CloseError{Code: 1000}, "closed by the peer during the handshake", true},
		{
			fmt.Errorf("%w: received unmasked frame", socket.ErrProtocol),
			socket.ErrProtocol.Error() + ": received unmasked frame during the handshake", false,
		},
	}
	for _, c := range cases {
		end := readEnd(c.err, false)
		if !errors.Is(end.Err, ErrHandshake) || end.Code != wire.DisconnectProtocolErr || end.Reason != c.reason ||
			end.Remote != c.remote {
			t.Errorf("%v: %+v", c.err, end)
		}
	}
}
