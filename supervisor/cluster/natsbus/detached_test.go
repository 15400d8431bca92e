package natsbus

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
)

// TestLostRouteIsNoProof ends the route to a member whose process lives: its listener accepts connections.
func TestLostRouteIsNoProof(t *testing.T) {
	w := newWorld(t)
	a, b := w.serve(w.options()), w.serve(w.options())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := a.server.routes
	r.mu.Lock()
	r.routed[netip.MustParseAddrPort(listener.Addr().String())] = time.Now()
	r.mu.Unlock()
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrDetached) {
		t.Errorf("a member that listens has no route: %v", err)
	}
	if _, err := b.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("no member has lost its route: %v", err)
	}
	listener.Close()
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("the member has ended: %v", err)
	}
}

// TestEndOfAMemberIsProof stops a member.
func TestEndOfAMemberIsProof(t *testing.T) {
	w := newWorld(t)
	a := w.serve(w.options())
	b := w.serve(w.options(a.address))
	awaitLink(t, a, b)
	r := a.server.routes
	r.update()
	b.Close()
	await(t, "the end of the route", func() bool { return a.server.server.NumRoutes() == 0 })
	r.mu.Lock()
	if len(r.routed) != 1 {
		t.Errorf("known routes %v", r.routed)
	}
	r.mu.Unlock()
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("the member has ended: %v", err)
	}
}

// TestMembersHaveTimeToRejoin restarts NATS: another member may return there later than this one.
func TestMembersHaveTimeToRejoin(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	s := external(t, port)
	a := w.dial(fmt.Sprintf("nats://127.0.0.1:%d", port))
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("after the first connection: %v", err)
	}
	s.Shutdown()
	s.WaitForShutdown()
	await(t, "the end of the connection", func() bool { return !a.client.IsConnected() })
	external(t, port)
	await(t, "a new connection", func() bool { return a.reconnected.Load() != nil })
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrDetached) {
		t.Errorf("after a new connection: %v", err)
	}
	before := a.reconnected.Load().Add(-rejoinWithin)
	a.reconnected.Store(&before)
	if _, err := a.Request(t.Context(), "p2p.x.m.b.ask", nil); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("%v after a new connection: %v", rejoinWithin, err)
	}
}
