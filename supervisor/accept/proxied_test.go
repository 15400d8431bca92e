package accept

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// startProxied listens on loopback; loopback is the trusted proxy if trusted is set.
func startProxied(t *testing.T, trusted string, timeout time.Duration) (p *Proxied, refused chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused = make(chan error, 100)
	p = NewProxied(ln, ProxyConfig{
		Trusted: []netip.Prefix{netip.MustParsePrefix(trusted)}, Limits: func() (time.Duration, int) { return timeout, 4 },
		Refused: func(_ net.Addr, err error) { refused <- err },
	})
	t.Cleanup(func() { p.Close() })
	return p, refused
}

func send(t *testing.T, p *Proxied, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

const v2Signature = "\r\n\r\n\x00\r\nQUIT\n"

func TestProxiedTakesAddressFromHeader(t *testing.T) {
	p, _ := startProxied(t, "127.0.0.0/8", 10*time.Second)
	for header, want := range map[string]string{
		"PROXY TCP4 203.0.113.5 192.0.2.1 4000 9091\r\n":   "203.0.113.5:4000",
		"PROXY TCP6 2001:db8::1 2001:db8::2 4000 9091\r\n": "[2001:db8::1]:4000",
		"PROXY UNKNOWN\r\n": "127.0.0.1",

		v2Signature + "\x21\x11\x00\x0c\xcb\x00\x71\x05\xc0\x00\x02\x01\x0f\xa0\x23\x83": "203.0.113.5:4000",

		v2Signature + "\x20\x00\x00\x00": "127.0.0.1",

		v2Signature + "\x21\x11\x00\x10\xcb\x00\x71\x05\xc0\x00\x02\x01\x0f\xa0\x23\x83\x04\x00\x01x": "203.0.113.5:4000",
	} {
		far := send(t, p, header+"payload")
		conn, err := p.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.RemoteAddr().String(); !strings.HasPrefix(got, want) {
			t.Errorf("%q: from %s, want %s", header, got, want)
		}
		far.Close()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "payload" {
			t.Errorf("%q: %q, %v behind the header", header, got, err)
		}
		conn.Close()
	}
}

func TestProxiedRefusesWithoutHeader(t *testing.T) {
	p, refused := startProxied(t, "127.0.0.0/8", 100*time.Millisecond)
	go func() {
		if conn, err := p.Accept(); err == nil {
			t.Errorf("accepted %v", conn.RemoteAddr())
		}
	}()
	for _, text := range []string{
		"GET /ws HTTP/1.1\r\n\r\n", "PROXY TCP4 nonsense\r\n", "PROXY TCP4 " + strings.Repeat("1", 5000),
		v2Signature + "\x21\x11\xff\xff" + strings.Repeat("x", 70000), "PROXY TC", "",
	} {
		far := send(t, p, text)
		select {
		case err := <-refused:
			if err == nil {
				t.Errorf("%.30q: no error", text)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%.30q: not refused", text)
		}
		far.Close()
	}
}

// The number of connections without a header is limited. A new one evicts the oldest, and is served.
func TestProxiedEvictsLongestWaiting(t *testing.T) {
	p, refused := startProxied(t, "127.0.0.0/8", time.Minute)
	go func() {
		for range 6 {
			send(t, p, "")
		}
		for range 2 {
			<-refused
		}
		send(t, p, "PROXY TCP4 203.0.113.5 192.0.2.1 4000 9091\r\n")
	}()
	conn, err := p.Accept()
	if err != nil || conn.RemoteAddr().String() != "203.0.113.5:4000" {
		t.Errorf("%v", err)
	}
}

func TestProxiedReadsNothingFromOthers(t *testing.T) {
	p, _ := startProxied(t, "192.0.2.0/24", time.Minute)
	header := "PROXY TCP4 203.0.113.5 192.0.2.1 4000 9091\r\n"
	far := send(t, p, header)
	conn, err := p.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, plain := conn.(*net.TCPConn); !plain {
		t.Errorf("a plain connection is a %T", conn)
	}
	far.Close()
	if got, err := io.ReadAll(conn); err != nil || string(got) != header ||
		!strings.HasPrefix(conn.RemoteAddr().String(), "127.0.0.1:") {
		t.Errorf("%q, %v from %v", got, err, conn.RemoteAddr())
	}
	if p.Close(); p.Close() != nil {
		t.Error("a second Close fails")
	}
	if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
