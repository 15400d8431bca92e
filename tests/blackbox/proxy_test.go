package blackbox

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// Two headers of one address, 203.0.113.5, in both versions of the PROXY protocol, with the ports 4000 and 4001.
const (
	proxyV1 = "PROXY TCP4 203.0.113.5 192.0.2.1 4000 9091\r\n"
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x05\xc0\x00\x02\x01\x0f\xa1\x23\x83"
)

// dialBehind connects a reference peer whose connection begins with header.
func dialBehind(t *testing.T, n *node, name, header string) (*refpeer.Identity, error) {
	t.Helper()
	who := identity(t, name)
	conn, err := refpeer.Dial(withTimeout(t), n.URL(), refpeer.Options{
		Identity: who,
		NetDial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				_, err = conn.Write([]byte(header))
			}
			return conn, err
		},
	})
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return who, err
}

func TestTrustedProxyGivesRealAddresses(t *testing.T) {
	t.Parallel()
	n := start(t, "--trusted-proxy", "127.0.0.0/8", "--max-conns-per-address", "2")
	for _, c := range []struct{ name, header, address string }{
		{"first", proxyV1, "203.0.113.5:4000"},
		{"second", proxyV2, "203.0.113.5:4001"},
	} {
		who, err := dialBehind(t, n, c.name, c.header)
		if err != nil {
			t.Fatal(err)
		}
		n.Await("peer_up", "peer", who.ID, "address", c.address)
	}
	var status *refpeer.StatusError
	if _, err := dialBehind(t, n, "third", proxyV1); !errors.As(err, &status) || status.Code != 503 {
		t.Errorf("a third connection of the address: %v, want status 503", err)
	}
	other := strings.Replace(proxyV1, "203.0.113.5", "203.0.113.6", 1)
	if _, err := dialBehind(t, n, "fourth", other); err != nil {
		t.Errorf("a connection of another address: %v", err)
	}
	if _, err := dialBehind(t, n, "bare", ""); err == nil {
		t.Error("a connection of the proxy without a header was served")
	}
	n.AwaitCounter("connectionsRefused", 2)
}

func TestHeadersOfUntrustedAddressesAreNotRead(t *testing.T) {
	t.Parallel()
	n := start(t, "--trusted-proxy", "192.0.2.0/24")
	for _, header := range []string{proxyV1, proxyV2} {
		if _, err := dialBehind(t, n, "forger", header); err == nil {
			t.Error("a header from an untrusted address was taken")
		}
	}
	who, err := dialBehind(t, n, "plain", "")
	if err != nil {
		t.Fatal(err)
	}
	e := n.Await("peer_up", "peer", who.ID)
	if !strings.HasPrefix(e.Str("address"), "127.0.0.1:") || n.Count("peer_up") != 1 {
		t.Errorf("%s; %d peer_up", e.Line, n.Count("peer_up"))
	}
}
