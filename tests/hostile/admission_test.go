package hostile

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// masquerade is a listener that gives its connections a remote address that the test sets.
type masquerade struct {
	net.Listener
	from  atomic.Pointer[net.TCPAddr]
	count chan struct{} // one value per accepted connection, as long as the buffer has room
}

func newMasquerade(t *testing.T) *masquerade {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return &masquerade{Listener: ln, count: make(chan struct{}, 1000)}
}

func (m *masquerade) Accept() (net.Conn, error) {
	conn, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case m.count <- struct{}{}:
	default:
	}
	return &masked{conn, m.from.Load()}, nil
}

// accepted waits until one more connection is accepted.
func (m *masquerade) accepted(t *testing.T) {
	t.Helper()
	select {
	case <-m.count:
	case <-time.After(patience):
		t.Fatal("the connection was not accepted")
	}
}

type masked struct {
	net.Conn
	from *net.TCPAddr
}

func (m *masked) RemoteAddr() net.Addr { return m.from }

// comeFrom opens a connection with a remote address. It returns false if the answer is a 503.
func (m *masquerade) comeFrom(t *testing.T, n *node, address string) bool {
	t.Helper()
	m.from.Store(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 4000)))
	ws, status, err := tryKnock(n.URL())
	if err == nil {
		t.Cleanup(func() { ws.Close() })
	} else if status != http.StatusServiceUnavailable {
		t.Fatalf("from %s: %v, HTTP status %d, want 503", address, err, status)
	}
	return err == nil
}

// TestAddressLimitBoundsOneAddress: an address, or an IPv6 /64, gets MaxConnsPerAddress slots and no more.
func TestAddressLimitBoundsOneAddress(t *testing.T) {
	t.Parallel()
	ln := newMasquerade(t)
	n := nodetest.Start(t, nodetest.Options{
		Config: func(c *supervisor.TransportConfig) {
			c.MaxConns, c.MaxConnsPerAddress, c.HandshakeTimeout = 20, 2, time.Hour
		},
		Options: []supervisor.Option{supervisor.WithListener(ln)},
	})
	for i, tt := range []struct {
		address string
		in      bool
	}{
		{"203.0.113.5", true},
		{"203.0.113.5", true},
		{"203.0.113.5", false},
		{"::ffff:203.0.113.5", false},
		{"203.0.113.6", true},
		{"2001:db8:1:2::1", true},
		{"2001:db8:1:2::2", true},
		{"2001:db8:1:2:ffff::3", false},
		{"2001:db8:1:3::1", true},
		{"127.0.0.1", true},
		{"127.0.0.1", true},
		{"127.0.0.1", true},
		{"::1", true},
		{"::1", true},
		{"::1", true},
	} {
		if got := ln.comeFrom(t, n, tt.address); got != tt.in {
			t.Errorf("connection %d, from %s: in %t, want %t", i, tt.address, got, tt.in)
		}
	}
	if got := n.Counter("connectionsRefused"); got != 3 {
		t.Errorf("connectionsRefused is %d, want 3", got)
	}
	if got := n.Connections(); got.Pending != 12 {
		t.Errorf("connections %+v, want 12 pending", got)
	}
}

// TestReservedConnsStayFree: strangers cannot take the slots that are reserved for peers on the allowlist.
func TestReservedConnsStayFree(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, nodetest.Options{
		Config: func(c *supervisor.TransportConfig) { c.MaxConns, c.ReservedConns = 4, 2 },
	})
	friend := identity(t, "friend")
	key, err := crypto.ParsePublicKey(friend.PublicKey)
	must(t, err)
	must(t, n.Book.Allow(key))
	for range 2 {
		join(n, refpeer.Options{})
	}
	for range 3 {
		_, err := refpeer.Dial(withTimeout(t), n.URL(), refpeer.Options{Identity: identity(t, "stranger")})
		var refused *refpeer.RefusedError
		if !errors.As(err, &refused) || refused.Reason != "no free connection" {
			t.Errorf("a stranger too many: %v, want a refusal for want of a connection", err)
		}
		n.AwaitConnections(2, 0) // its slot is busy until then
	}
	join(n, refpeer.Options{Identity: friend}).say("hello", nil)
}

// TestOneIdentityFillsNoOtherSlot: one peer opens twice MaxConns connections at the same time.
func TestOneIdentityFillsNoOtherSlot(t *testing.T) {
	t.Parallel()
	const most, tries = 6, 24
	n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.MaxConns = most }})
	self := identity(t, "greedy")
	var dialling sync.WaitGroup
	var in, refused atomic.Int32
	ctx := withTimeout(t)
	for range tries {
		dialling.Go(func() {
			conn, err := refpeer.Dial(ctx, n.URL(), refpeer.Options{Identity: self})
			var status *refpeer.StatusError
			switch {
			case err == nil:
				t.Cleanup(conn.Close)
				in.Add(1)
			case errors.As(err, &status) && status.Code == http.StatusServiceUnavailable:
				refused.Add(1)
			default:
				t.Errorf("neither in nor refused with 503: %v", err)
			}
		})
	}
	dialling.Wait()
	if in.Load() != most || refused.Load() != tries-most {
		t.Errorf("%d in and %d refused, want %d and %d", in.Load(), refused.Load(), most, tries-most)
	}
	if got := n.Connections(); got.Established != most || got.Pending != 0 {
		t.Errorf("connections %+v, want %d established", got, most)
	}
}

// TestOutboundConnectionsTakeSlots: connections that the node dials count against MaxConns.
func TestOutboundConnectionsTakeSlots(t *testing.T) {
	t.Parallel()
	const most, servers = 3, 5
	n := nodetest.Start(t, nodetest.Options{Config: func(c *supervisor.TransportConfig) { c.MaxConns = most }})
	for i := range servers {
		s, err := refpeer.Listen("127.0.0.1:0", refpeer.Options{Identity: identity(t, "server")})
		must(t, err)
		t.Cleanup(s.Close)
		_, err = n.Connect(&supervisor.Peer{Address: s.Addr()})
		if i < most && err != nil || i >= most && !errors.Is(err, supervisor.ErrNoRoom) {
			t.Errorf("connection %d: %v; want %d to work and the others to end in %v", i, err, most, supervisor.ErrNoRoom)
		}
	}
	if _, status, _ := tryKnock(n.URL()); status != http.StatusServiceUnavailable {
		t.Errorf("inbound beside %d outbound ones: HTTP status %d, want 503", most, status)
	}
}
