package natsbus

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// hello is the beginning of a handshake of TLS that does not go on.
var hello = []byte{22, 3, 1, 1, 0, 1}

// strangers opens connections from an address and sends first on each. They are closed with the test.
func strangers(t *testing.T, n int, from, to string, first []byte) (list []net.Conn) {
	t.Helper()
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for range n {
		conn, err := dialer.Dial("tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = conn.Write(first) // an error: it was closed
		list = append(list, conn)
	}
	return list
}

// A flood of connections that are no members takes 64 slots, and the NATS server sees no silent one. Another member
// gets a route meanwhile, and one warning is logged.
func TestStrangersHaveFewSlots(t *testing.T) {
	for name, first := range map[string][]byte{
		"silent": nil, "half a handshake": hello, "not TLS": []byte("CONNECT {}\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.serve(w.options())
			list := strangers(t, 300, "127.0.0.9", a.address, first)
			awaitLink(t, w.serve(w.options(a.address)), a)
			open := 0
			for _, conn := range list {
				_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := conn.Read(make([]byte, 1)); timedOut(err) {
					open++
				}
			}
			if open > 64 {
				t.Errorf("%d connections of strangers are open, want 64 at most", open)
			}
			if n := a.log.count("no members: the oldest were closed"); n > 1 {
				t.Errorf("%d warnings, want one a minute", n)
			}
			await(t, "the end of all strangers", func() bool {
				strangers, open, _ := a.server.gate.connections()
				return strangers == 0 && open == 1
			})
		})
	}
}

func timedOut(err error) bool {
	timeout, is := err.(net.Error)
	return is && timeout.Timeout()
}

// Handshakes that stall delay no change of the addresses of members: the NATS server would wait for each of them.
func TestStalledHandshakesDelayNoChange(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	strangers(t, 8, "127.0.0.9", a.address, hello)
	await(t, "the handshakes", func() bool { return a.server.gate.connected() })
	began := time.Now()
	a.server.routes.hear([]byte("127.0.0.1:9\n"))
	a.server.routes.update()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the change took %v; a handshake may take %d s", took, routeTLSTimeout)
	}
	if found := a.server.routes.configured(); len(found) != 1 {
		t.Errorf("the addresses are %v", found)
	}
}

func listsNone() []uint16 { return nil }

// gateBefore opens a gate in front of a listener, which lists the ports.
func gateBefore(t *testing.T, listed func() []uint16) (*gate, net.Listener) {
	t.Helper()
	return gateWith(t, 0, listed)
}

// gateWith is gateBefore for a process that may open so many file descriptors.
func gateWith(t *testing.T, descriptors int, listed func() []uint16) (*gate, net.Listener) {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	log := actors.NewLimitedLogger(slog.New(slog.DiscardHandler))
	g, err := newGate(netip.MustParseAddrPort("127.0.0.1:0"), descriptors, log)
	if err != nil {
		t.Fatal(err)
	}
	g.open(server.Addr().String(), listed)
	t.Cleanup(g.close)
	return g, server
}

// The gate passes bytes on in both directions, and knows the address behind the port that the server sees.
func TestGatePassesBytesOn(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	outer := strangers(t, 1, "127.0.0.9", g.address().String(), append(hello, "more"...))[0]
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	got := make([]byte, len(hello)+4)
	if _, err := io.ReadFull(inner, got); err != nil || string(got) != string(hello)+"more" {
		t.Errorf("the server reads %q, %v", got, err)
	}
	if from, found := g.accept(addressOf(inner.RemoteAddr()).Port()); !found || from != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("the member is at %v, %v", from, found)
	}
	if strangers, _, _ := g.connections(); strangers != 0 {
		t.Error("a route keeps its slot")
	}
	_, _ = inner.Write([]byte("back"))
	_ = inner.Close()
	if back, err := io.ReadAll(outer); string(back) != "back" || err != nil {
		t.Errorf("the member reads %q, %v", back, err)
	}
}

// A route that the server has closed ends at the gate, although bytes for the member wait that it does not read.
func TestGateEndsFormerRoutes(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	strangers(t, 1, "127.0.0.9", g.address().String(), hello)
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	port := addressOf(inner.RemoteAddr()).Port()
	for found := false; !found; _, found = g.accept(port) { // the gate enters the connection after its dial
		time.Sleep(time.Millisecond)
	}
	for err == nil { // until all buffers are full
		_ = inner.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = inner.Write(make([]byte, 1<<20))
	}
	_ = inner.Close()
	g.retain(map[uint16]bool{port: true})
	if _, kept, _ := g.connections(); kept != 1 {
		t.Errorf("%d routes while the server lists it, want 1", kept)
	}
	g.retain(nil)
	if _, kept, _ := g.connections(); kept != 0 {
		t.Errorf("%d routes after its end, want none", kept)
	}
}

// The oldest stranger of the most crowded address gives its slot up.
func TestVictimIsOfTheCrowdedAddress(t *testing.T) {
	now := time.Now()
	at := func(from string, age time.Duration) *passage {
		return &passage{from: netip.MustParseAddr(from), born: now.Add(-age)}
	}
	old := at("192.0.2.1", time.Hour)
	want := at("2001:db8::1", time.Minute)
	crowd := []*passage{at("192.0.2.2", time.Minute), want, at("2001:db8::2", time.Second), old}
	if got := victim(crowd, nil); got != want {
		t.Errorf("the victim is of %v", got.from)
	}
	if got := victim([]*passage{at("192.0.2.2", time.Minute), old}, nil); got != old {
		t.Errorf("of single connections the victim is of %v", got.from)
	}
	known := map[netip.Addr]bool{want.from: true, old.from: true}
	if got := victim(crowd, known); got != crowd[0] && got != crowd[2] {
		t.Errorf("the victim is of the known address %v", got.from)
	}
	delete(known, want.from)
	known[crowd[2].from] = true
	if got := victim([]*passage{want, old, crowd[2]}, known); got != want {
		t.Errorf("the victim is of %v", got.from)
	}
}
