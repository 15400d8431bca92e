package supervisor

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// NewTransport names each argument and option that is nil.
func TestNewTransportRefusesNil(t *testing.T) {
	keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	with := func(opt Option) error {
		_, err := NewTransport(keys, NewPeerRegistry(), DefaultTransportConfig(), opt)
		return err
	}
	_, noKeys := NewTransport(nil, NewPeerRegistry(), DefaultTransportConfig())
	_, noBook := NewTransport(keys, nil, DefaultTransportConfig())
	for field, err := range map[string]error{
		"keys": noKeys, "book": noBook, "option 1": with(nil),
		"WithActorSystem": with(WithActorSystem(nil)), "WithLogger": with(WithLogger(nil)),
		"WithListener": with(WithListener(nil)),
		"WithDialer":   with(WithDialer(nil)), "WithConnWrapper": with(WithConnWrapper(nil)),
		"WithClock":  with(WithClock(nil)),
		"WithRandom": with(WithRandom(io.Reader(nil))), "WithObserver": with(WithObserver((*stopwatch)(nil))),
		"WithRunningClock": with(WithRunningClock(nil)),
	} {
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Calls with nil and values out of range return an error and change nothing.
func TestCallsRefuseNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		c := a.dial(b)
		var none context.Context
		_, noPeer := a.Connect(nil)
		_, noContext := a.ConnectContext(none, &Peer{Address: b.addr})
		_, asked := a.RequestContext(none, b.id(), a.to(b.id(), "x", nil))
		cast := a.BroadcastContext(none, a.to("", "x", nil)).Err()
		for what, err := range map[string]error{
			"Connect": noPeer, "ConnectContext": noContext, "RequestContext": asked, "BroadcastContext": cast,
			"SendContext":      a.SendContext(none, b.id(), a.to(b.id(), "x", nil)),
			"conn.SendContext": c.SendContext(none, a.to(b.id(), "x", nil)),
			"Disconnect":       a.Disconnect(none, b.id(), true), "SetAuthMode": a.SetAuthMode(77),
			"UseAuthMode": a.UseAuthMode(-1), "Subscribe": order[*Subscribed](t, a, &Subscribe{}).Err,
		} {
			if err == nil {
				t.Errorf("%s: no error", what)
			}
		}
		a.wantSlots(1, 0)
		a.wantCount(actors.ActorRestarts, 0)
		if mode := a.book.AuthMode(); mode != PeerAuthOpen {
			t.Errorf("mode %v", mode)
		}
	})
}

// A dialler or wrapper that panics, ends its goroutine or returns nothing fails only the requested connection.
func TestFaultyDiallerCostsOneConnection(t *testing.T) {
	faults := map[string]func() net.Conn{
		"panicked: \"injected\"": func() net.Conn { panic("injected") },
		"called runtime.Goexit":  func() net.Conn { runtime.Goexit(); return nil },
		"returned no connection": func() net.Conn { return nil },
	}
	for text, fault := range faults {
		for _, where := range []string{"dialler", "connection wrapper", "accepted"} {
			t.Run(where+" "+text, func(t *testing.T) { faultyOnce(t, where, text, fault) })
		}
	}
}

func faultyOnce(t *testing.T, where, text string, fault func() net.Conn) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var armed atomic.Bool
		armed.Store(true)
		wrap := WithConnWrapper(func(c net.Conn) net.Conn {
			if armed.CompareAndSwap(true, false) {
				return fault()
			}
			return c
		})
		dialler := n.Attach("10.0.0.9")
		dial := WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			if armed.CompareAndSwap(true, false) {
				return fault(), nil
			}
			return dialler.DialContext(ctx, network, address)
		})
		with := func(o Option) func(*nodeSetup) { return func(s *nodeSetup) { s.options = []Option{o} } }
		var node, peer *testNode
		switch where {
		case "dialler":
			node, peer = startNode(t, n, 1, with(dial)), startNode(t, n, 2)
		case "connection wrapper":
			node, peer = startNode(t, n, 1, with(wrap)), startNode(t, n, 2)
		default:
			node, peer = startNode(t, n, 1), startNode(t, n, 2, with(wrap))
		}
		_, err := node.Connect(&Peer{Address: peer.addr})
		if err == nil || where != "accepted" && !containsText(err, "the "+where+" "+text) {
			t.Errorf("%v, want the %s %s", err, where, text)
		}
		node.dial(peer)
		node.wantSlots(1, 0)
		peer.wantSlots(1, 0)
	})
}
