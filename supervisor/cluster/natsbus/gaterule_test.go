package natsbus

import (
	"io"
	"net"
	"testing"
	"time"
)

// deadlines is one side of a pipe that records the deadlines for reads.
type deadlines struct {
	net.Conn
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return d.Conn.SetReadDeadline(at)
}

// connections returns the numbers of strangers, and of open and former connections to the server, that the gate notes.
func (g *gate) connections() (strangers, open, former int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.strangers), len(g.byPort), len(g.past)
}

// closedBy reports whether a connection is closed by its other side within the patience of the test.
func closedBy(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, conn)
	return !timedOut(err)
}

// The deadline for the first bytes of a connection ends with them: a route may be silent for longer.
func TestRoutesHaveNoReadDeadline(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	near, far := net.Pipe()
	outer := &deadlines{Conn: near}
	p, done := g.admit(outer), make(chan struct{})
	go func() {
		defer close(done)
		g.pass(p)
	}()
	_, _ = far.Write(hello)
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(inner, make([]byte, len(hello))); err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	<-done
	if n := len(outer.set); n != 2 || outer.set[0].IsZero() || !outer.set[1].IsZero() {
		t.Errorf("deadlines %v, want one and its end", outer.set)
	}
	_ = inner.Close()
}

// The server sees no connection that does not begin with a handshake of TLS.
func TestServerSeesHandshakesOnly(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	for name, first := range map[string][]byte{
		"text": []byte("CONNECT {}\r\n"), "application data": {23, 3, 3, 0, 1}, "another version": {22, 2, 1, 0, 1},
	} {
		if conn := strangers(t, 1, "127.0.0.9", g.address().String(), first)[0]; !closedBy(conn) {
			t.Errorf("%s: the connection stays", name)
		}
	}
	short := strangers(t, 1, "127.0.0.9", g.address().String(), hello[:4])[0]
	_ = short.(*net.TCPConn).CloseWrite()
	if !closedBy(short) {
		t.Error("a short header: the connection stays")
	}
	strangers(t, 1, "127.0.0.9", g.address().String(), append(hello, "last"...))
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	got := make([]byte, len(hello)+4)
	if _, err := io.ReadFull(inner, got); err != nil || string(got[len(hello):]) != "last" {
		t.Errorf("the first connection at the server says %q, %v", got, err)
	}
}

// A stranger that arrives during a change of the configuration reaches the server after it.
func TestHandshakesWaitForTheChange(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	arrived := make(chan net.Conn, 1)
	go func() {
		if inner, err := server.Accept(); err == nil {
			arrived <- inner
		}
	}()
	g.during(func() {}, func() {
		strangers(t, 1, "127.0.0.9", g.address().String(), hello)
		select {
		case <-arrived:
			t.Error("a handshake reaches the server during the change")
			arrived <- nil
		case <-time.After(100 * time.Millisecond):
		}
	})
	select {
	case inner := <-arrived:
		if inner != nil {
			_ = inner.Close()
		}
	case <-time.After(patience):
		t.Error("the handshake does not reach the server after the change")
	}
}

// A connection to the server that is open when a change begins, or for a passage that has ended, is closed.
func TestLateConnectionToTheServerIsClosed(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	for name, prepare := range map[string]func(p *passage){
		"a change has begun":    func(*passage) { g.paused = make(chan struct{}); close(g.paused) },
		"the passage has ended": func(p *passage) { g.end(p) },
	} {
		near, far := net.Pipe()
		defer far.Close()
		p := g.admit(near)
		g.mu.Lock()
		prepare(p)
		g.mu.Unlock()
		if conn := g.connect(p); conn != nil {
			t.Errorf("%s: the gate connects", name)
		}
		g.mu.Lock()
		g.paused = nil
		g.mu.Unlock()
		if _, open, _ := g.connections(); open != 0 {
			t.Errorf("%s: %d connections are noted", name, open)
		}
		g.mu.Lock()
		g.end(p)
		g.end(p)
		g.mu.Unlock()
		inner, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if !closedBy(inner) {
			t.Errorf("%s: the connection to the server stays", name)
		}
		_ = inner.Close()
	}
	if _, _, former := g.connections(); former != 0 {
		t.Errorf("%d former connections are noted, want none", former)
	}
}

// The gate knows the addresses behind the ports of its 64 last connections to the server, and a handshake is not ended
// with the former routes.
func TestGateKnowsFormerPorts(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	var ports []uint16
	for i := range maxStrangers + 1 {
		outer := strangers(t, 1, "127.0.0.9", g.address().String(), hello)[0]
		inner, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		port := addressOf(inner.RemoteAddr()).Port()
		ports = append(ports, port)
		await(t, "the note of the connection", func() bool { _, found := g.origin(port); return found })
		g.retain(nil)
		if _, open, former := g.connections(); i == 0 && (open != 1 || former != 0) {
			t.Error("a handshake is ended with the former routes")
		}
		_ = inner.Close()
		_ = outer.Close()
		await(t, "the end of the connection", func() bool { _, open, _ := g.connections(); return open == 0 })
	}
	for i, port := range ports {
		if from, found := g.origin(port); found != (i > 0) || found && from.String() != "127.0.0.9" {
			t.Errorf("connection %d is of %v, %v", i, from, found)
		}
	}
	_, found := g.accept(ports[1])
	if _, _, former := g.connections(); found || former != maxStrangers {
		t.Errorf("a former port is that of a member: %v; %d former ones, want %d", found, former, maxStrangers)
	}
}

// Strangers take a quarter of the file descriptors of the process, three each: its peers and its files need the others.
func TestStrangersTakeFewDescriptors(t *testing.T) {
	g, _ := gateWith(t, 60, listsNone)
	list := strangers(t, 12, "127.0.0.9", g.address().String(), nil)
	for _, conn := range list[:7] {
		if !closedBy(conn) {
			t.Fatal("one of the oldest seven strangers is not closed")
		}
	}
	if held, _, _ := g.connections(); held != 5 {
		t.Errorf("%d strangers have a slot, want 5 of 60 descriptors", held)
	}
}

// The close of the gate ends strangers and routes at once, and connections that arrive with it.
func TestCloseEndsAllPassages(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	silent := strangers(t, 1, "127.0.0.9", g.address().String(), nil)[0]
	route := strangers(t, 1, "127.0.0.9", g.address().String(), hello)[0]
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	await(t, "the route", func() bool { _, found := g.accept(addressOf(inner.RemoteAddr()).Port()); return found })
	await(t, "the stranger", func() bool { n, _, _ := g.connections(); return n == 1 })
	began := time.Now()
	g.close()
	if took := time.Since(began); took > strangerWithin/2 || !closedBy(silent) || !closedBy(route) {
		t.Errorf("closed after %v", took)
	}
	near, far := net.Pipe()
	if p := g.admit(near); p != nil || !closedBy(far) {
		t.Errorf("a connection after the close: %v", p)
	}
}
