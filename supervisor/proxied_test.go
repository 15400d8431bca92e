package supervisor

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// A connection through a trusted proxy has one HandshakeTimeout, from its accept on, although the PROXY header comes
// late: before the upgrade and after it.
func TestProxiedConnectionHasOneHandshakeTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		request bool
		want    time.Duration
	}{"silent": {false, 10 * time.Second}, "upgraded": {true, 10 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				node := startNode(t, n, 1, func(s *nodeSetup) {
					s.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.9.0/24")}
				})
				conn, err := n.Attach("10.0.9.1").DialContext(t.Context(), "tcp", node.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				began := time.Now()
				time.Sleep(6 * time.Second)
				say(t, conn, "PROXY TCP4 203.0.113.5 192.0.2.1 4000 9091\r\n")
				if c.request {
					time.Sleep(2 * time.Second)
					say(t, conn, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
						"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
				}
				_, _ = io.Copy(io.Discard, conn)
				if took := time.Since(began); took != c.want {
					t.Errorf("closed after %v, want %v", took, c.want)
				}
			})
		})
	}
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}
