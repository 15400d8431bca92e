package hostile

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestUpgradeFollowsTheStandard: lists of tokens are read as RFC 9110 defines them; a body is never read as frames.
func TestUpgradeFollowsTheStandard(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{})
	for headers, want := range map[string]int{
		"Connection: Upgrade\r\nUpgrade: websocket\r\n":                                   http.StatusSwitchingProtocols,
		"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n":                              http.StatusSwitchingProtocols,
		"Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n":                   http.StatusSwitchingProtocols,
		"Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n":                       http.StatusSwitchingProtocols,
		"Connection: keep-alive\r\nUpgrade: websocket\r\n":                                http.StatusBadRequest,
		"Connection: Upgrade\r\nUpgrade: h2c\r\n":                                         http.StatusUpgradeRequired,
		"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 6\r\n":              http.StatusBadRequest,
		"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n":     http.StatusBadRequest,
		"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\nX-Y: none\r\n": http.StatusSwitchingProtocols,
	} {
		conn, reader := dialTCP(t, n.Addr().String())
		_, err := fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: node\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n\x82\x80\x00\x00\x00\x00", headers)
		must(t, err)
		resp, err := http.ReadResponse(reader, nil)
		must(t, err)
		if resp.StatusCode != want {
			t.Errorf("%q: HTTP status %d, want %d", headers, resp.StatusCode, want)
		}
		resp.Body.Close()
		conn.Close()
	}
}
