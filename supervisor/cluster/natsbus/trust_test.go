package natsbus

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A member with another key, or without the secret, gets no route, and one warning a minute is logged.
func TestForeignMembersGetNoRoute(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	a := w.serve(w.options())
	foreign := other.options(a.address)
	foreign.NodeID = w.key.Identity().ID
	x := other.serve(foreign)
	without := w.options(a.address)
	without.Secrets = [][]byte{[]byte("a secret that only this member has")}
	y := w.serve(without)
	b := w.serve(w.options(a.address)) // the rest of the time: a member with the key
	awaitLink(t, b, a)
	await(t, "second attempts", func() bool { // one a second
		return a.server.server.NumRoutes() == 1 && x.log.count(logForeign) == 1 && y.log.count(logForeign) == 1
	})
	time.Sleep(1500 * time.Millisecond)
	for name, m := range map[string]*member{"a": a, "x": x, "y": y} {
		if n := m.log.count(logForeign); n != 1 {
			t.Errorf("%s logs %d warnings, want 1", name, n)
		}
	}
	if n := x.server.server.NumRoutes() + y.server.server.NumRoutes(); n != 0 {
		t.Errorf("foreign members have %d routes", n)
	}
}

// Secrets change member by member: first all accept the new one, then all sign with it, then the old one ends.
func TestSecretsRotate(t *testing.T) {
	w := newWorld(t)
	older, newer := []byte("old secret of the members"), []byte("new secret of the members")
	for _, pair := range [][2][][]byte{
		{{older}, {older, newer}},
		{{older, newer}, {newer, older}},
		{{newer, older}, {newer}},
	} {
		o := w.options()
		o.Secrets = pair[0]
		a := w.serve(o)
		o = w.options(a.address)
		o.Secrets = pair[1]
		b := w.serve(o)
		await(t, fmt.Sprintf("a route between %q and %q", pair[0], pair[1]), func() bool {
			return b.server.server.NumRoutes() == 1
		})
	}
}

// The port for members answers only TLS 1.3 with a certificate under the key.
func TestPortForMembersRequiresACertificate(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	seeds, err := derive(w.key.ClusterKey, labelCA, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*tls.Config)
		works  bool
	}{
		"a member":       {func(*tls.Config) {}, true},
		"no certificate": {func(c *tls.Config) { c.Certificates = nil }, false},
		"TLS 1.2":        {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, false},
	} {
		config, err := tlsConfig(seeds)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(config)
		if works := greets(t, a.address, config); works != tt.works {
			t.Errorf("%s: the server talks: %v, want %v", name, works, tt.works)
		}
	}
}

// greets reports whether a server sends its first line after a TLS handshake.
func greets(t *testing.T, address string, config *tls.Config) bool {
	t.Helper()
	plain, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	_ = plain.SetDeadline(time.Now().Add(patience))
	n, _ := tls.Client(plain, config).Read(make([]byte, 1))
	return n == 1
}

// The port for clients is on loopback only, and requires the token of this process.
func TestClientPortRequiresTheToken(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	url := a.server.server.ClientURL()
	if host := a.server.server.Addr().(*net.TCPAddr).IP; !host.IsLoopback() {
		t.Errorf("the client port listens on %v", host)
	}
	for _, option := range []nats.Option{nats.Token("guess"), nats.UserInfo("x", "y"), nil} {
		c, err := nats.Connect(url, option)
		if err == nil {
			c.Close()
			t.Errorf("connected to %s without the token", url)
		}
	}
}

// Another user of the host can hold a limited number of connections to the client port, and only until they must have
// the token. Connections with the token reach the limit on a slow machine, too: no deadline ends them before.
func TestConnectionsWithoutTheTokenAreFew(t *testing.T) {
	w := newWorld(t)
	a, b := w.serve(w.options()), w.serve(w.options())
	dial := func(to *member) net.Conn {
		conn, err := net.DialTimeout("tcp", to.server.server.Addr().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	for range maxClients - 1 {
		_, _ = fmt.Fprintf(dial(a), "CONNECT {\"auth_token\":%q}\r\n", a.client.Opts.Token)
	}
	await(t, "the limit", func() bool { return a.server.server.NumClients() == maxClients })
	over := dial(a)
	_ = over.SetReadDeadline(time.Now().Add(patience))
	if text, err := io.ReadAll(over); err != nil || !strings.Contains(string(text), "maximum connections exceeded") {
		t.Errorf("one more connection reads %q, %v", text, err)
	}
	if !closedBy(dial(b)) {
		t.Error("a connection without the token stays")
	}
	await(t, "the end of all but the own client", func() bool { return b.server.server.NumClients() == 1 })
}
