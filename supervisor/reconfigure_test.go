package supervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// reconfigured changes a node's configuration and checks the result for each field.
func (n *testNode) reconfigured(change func(*TransportConfig), changed, restart string) {
	n.t.Helper()
	cfg := *n.live.Load()
	change(&cfg)
	gotChanged, gotRestart, err := n.Reconfigure(context.Background(), cfg)
	if err != nil || strings.Join(gotChanged, " ") != changed || strings.Join(gotRestart, " ") != restart {
		n.t.Fatalf("changed %v, restart %v, %v; want %s and %s", gotChanged, gotRestart, err, changed, restart)
	}
}

// A smaller MaxConns applies to new connections: no open one is closed.
func TestReconfigureMaxConnsClosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1)
		first, second, third := startNode(t, n, 2), startNode(t, n, 3), startNode(t, n, 4)
		for _, node := range []*testNode{first, second} {
			if _, err := node.Connect(&Peer{Address: hub.addr}); err != nil {
				t.Fatal(err)
			}
		}
		hub.reconfigured(func(c *TransportConfig) { c.MaxConns, c.MaxConnsPerAddress = 1, -1 },
			"MaxConns MaxConnsPerAddress", "")
		if _, err := third.Connect(&Peer{Address: hub.addr}); err == nil {
			t.Error("a third connection was let in")
		}
		synctest.Wait() // a connection becomes the route once its peer is verified
		if got := hub.ConnectedPeers(); got != 2 {
			t.Errorf("%d peers are connected, want 2", got)
		}
		if s, err := hub.Status(context.Background()); err != nil || s.Connections.Max != 1 {
			t.Errorf("status %+v, %v", s.Connections, err)
		}
		hub.reconfigured(func(c *TransportConfig) { c.MaxConns = 3 }, "MaxConns", "")
		if _, err := third.Connect(&Peer{Address: hub.addr}); err != nil {
			t.Error(err)
		}
	})
}

// A connection keeps the limits that it started with. The next one has the new ones.
func TestReconfigureLimitsApplyToNewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := startNode(t, n, 1), startNode(t, n, 2)
		old, err := peer.Connect(&Peer{Address: hub.addr})
		if err != nil {
			t.Fatal(err)
		}
		peer.reconfigured(func(c *TransportConfig) { c.MaxMessageSize = 4 << 10 }, "MaxMessageSize", "")
		large, err := wire.NewMessage("large", peer.id(), hub.id(), strings.Repeat("x", 8<<10))
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Send(large); err != nil {
			t.Errorf("the connection that stood: %v", err)
		}
		if err := peer.Disconnect(context.Background(), hub.id(), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		next, err := peer.Connect(&Peer{Address: hub.addr})
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Send(large); !errors.Is(err, actors.ErrTooLarge) {
			t.Errorf("the next connection: %v", err)
		}
	})
}

// A newly named peer is dialled and kept. One that is no longer named stays until its connection ends.
func TestReconfigurePeersDialsAndReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := startNode(t, n, 1), startNode(t, n, 2)
		peer.reconfigured(func(c *TransportConfig) { c.Peers = []string{hub.addr} }, "Peers", "")
		time.Sleep(time.Second)
		if peer.GetConnection(hub.id()) == nil {
			t.Fatal("the new peer is not connected")
		}
		peer.reconfigured(func(c *TransportConfig) { c.Peers = nil }, "Peers", "")
		synctest.Wait()
		if peer.GetConnection(hub.id()) == nil {
			t.Fatal("the connection ended with the configuration")
		}
		peer.crash(hub.id())
		time.Sleep(5 * time.Minute)
		if got := peer.Counters()["dials"]; got != 1 {
			t.Errorf("%d dials, want 1", got)
		}
		peer.reconfigured(func(c *TransportConfig) { c.Peers = []string{"10.0.0.77:9091"} }, "Peers", "")
		time.Sleep(time.Minute)
		peer.reconfigured(func(c *TransportConfig) { c.Peers = nil }, "Peers", "")
		before := peer.Counters()["dials"]
		time.Sleep(time.Hour)
		if got := peer.Counters()["dials"]; got != before || before < 2 {
			t.Errorf("%d dials, %d before it was named no more", got, before)
		}
	})
}

// A field that cannot change keeps its value and is named. An invalid configuration changes nothing.
func TestReconfigureNamesFixedFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := startNode(t, memnet.New(1), 1)
		before := *node.live.Load()
		node.reconfigured(func(c *TransportConfig) { c.ListenAddr, c.WSPath, c.DedupTTL = "127.0.0.1:1", "/x", time.Hour },
			"", "ListenAddr WSPath DedupTTL")
		node.reconfigured(func(c *TransportConfig) { c.TLSCertPath, c.TLSKeyPath = "cert", "key" },
			"", "TLSCertPath TLSKeyPath")
		for _, wrong := range []func(*TransportConfig){
			func(c *TransportConfig) { c.MaxConns = -1 },
			func(c *TransportConfig) { c.RateBurst, c.TLSCAPath = 7, "/not/there" },
		} {
			cfg := before
			wrong(&cfg)
			if changed, restart, err := node.Reconfigure(context.Background(), cfg); err == nil || changed != nil ||
				restart != nil {
				t.Errorf("%v, %v, %v", changed, restart, err)
			}
		}
		if after := *node.live.Load(); !reflect.DeepEqual(before, after) {
			t.Errorf("%+v\nbecame %+v", before, after)
		}
	})
}

// A context that has ended before changes nothing. One that ends while the registry works does not stop the change.
func TestReconfigureHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var busy atomic.Bool
		release := make(chan struct{})
		wall := func() time.Time { // the registry asks for it when a peer comes
			if busy.Load() {
				<-release
			}
			return time.Now()
		}
		node := startNode(t, n, 1, func(s *nodeSetup) { s.options = []Option{WithClock(wall)} })
		cfg := *node.live.Load()
		cfg.MaxConns = 7
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if changed, _, err := node.Reconfigure(ended, cfg); !errors.Is(err, context.Canceled) || changed != nil {
			t.Errorf("a context that has ended: %v, %v", changed, err)
		}
		synctest.Wait()
		if got := node.live.Load().MaxConns; got == 7 {
			t.Error("it failed and is in force")
		}
		peer := startNode(t, n, 2)
		busy.Store(true)
		go func() { _, _ = peer.Connect(&Peer{Address: node.addr}) }()
		synctest.Wait()
		time.AfterFunc(2*time.Second, func() {
			busy.Store(false)
			close(release)
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		changed, _, err := node.Reconfigure(ctx, cfg)
		if err != nil || !slices.Equal(changed, []string{"MaxConns"}) || node.live.Load().MaxConns != 7 {
			t.Errorf("a context that ended meanwhile: %v, %v, MaxConns %d", changed, err, node.live.Load().MaxConns)
		}
	})
}

// A panic of the registry does not leave the caller waiting.
func TestReconfigureSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := &exitingRandom{}
		node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.options = []Option{WithRandom(random)} })
		random.armed.Store(true)
		node.reconfigured(func(c *TransportConfig) { c.Peers = []string{"10.0.0.2:9091"} }, "Peers", "")
		node.wantCount(actors.ActorRestarts, 1)
		node.reconfigured(func(c *TransportConfig) { c.Peers = nil }, "Peers", "")
	})
}

// exitingRandom ends its goroutine once when it is armed.
type exitingRandom struct{ armed atomic.Bool }

func (r *exitingRandom) Read(p []byte) (int, error) {
	if r.armed.CompareAndSwap(true, false) {
		runtime.Goexit() // a panic would become an error
	}
	return rand.Read(p)
}

// A smaller dedup set waits for connections that may still send at the larger rate. A larger one applies at once.
func TestReconfigureFitsTheDedupSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, peer := startNode(t, n, 1), startNode(t, n, 2)
		peer.dial(node)
		before, _ := node.dedup.Limits()
		node.reconfigured(func(c *TransportConfig) { c.RateRefill = 10 }, "RateRefill", "")
		want, share := dedupSize(node.live.Load())
		time.Sleep(10 * time.Minute)
		if limit, got := node.dedup.Limits(); limit != before || got != share {
			t.Errorf("limit %d, share %d with a connection of the earlier rate; want %d and %d", limit, got, before, share)
		}
		if err := peer.Disconnect(t.Context(), node.id(), false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // the set is looked at once per minute
		if limit, _ := node.dedup.Limits(); limit != want {
			t.Errorf("limit %d without that connection, want %d", limit, want)
		}
		node.reconfigured(func(c *TransportConfig) { c.RateRefill = 100 }, "RateRefill", "")
		if limit, _ := node.dedup.Limits(); limit <= before {
			t.Errorf("limit %d for a larger rate, want more than %d", limit, before)
		}
	})
}

func TestReconfigureWorksBeforeStart(t *testing.T) {
	node := startedAndStopped(t)
	cfg := *node.live.Load()
	cfg.MaxConns++
	if _, _, err := node.Reconfigure(context.Background(), cfg); !errors.Is(err, ErrStopped) {
		t.Errorf("error %v", err)
	}
}

func startedAndStopped(t *testing.T) *Transport {
	t.Helper()
	var node *testNode
	synctest.Test(t, func(t *testing.T) { node = startNode(t, memnet.New(1), 1) })
	return node.Transport
}

// Other TLS files apply to new connections. A pair that does not match changes nothing.
func TestReconfigureReplacesCertificate(t *testing.T) {
	first, second, broken := newCertFiles(t), newCertFiles(t), newCertFiles(t)
	synctest.Test(t, func(t *testing.T) {
		for name, files := range map[string]certFiles{"first": first, "second": second, "broken": broken} {
			files.write(t, name, time.Now())
		}
		server := startNode(t, memnet.New(1), 1,
			func(s *nodeSetup) { s.cfg.TLSCertPath, s.cfg.TLSKeyPath = first.cert, first.key })
		cfg := *server.live.Load()
		cfg.TLSCertPath, cfg.TLSKeyPath = broken.cert, first.key
		if changed, _, err := server.Reconfigure(context.Background(), cfg); err == nil || changed != nil {
			t.Errorf("a pair that does not fit: %v, %v", changed, err)
		}
		if got := shown(t, server.listener.cert); got != "first" {
			t.Errorf("the certificate is %s", got)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		cfg.TLSCertPath, cfg.TLSKeyPath = second.cert, second.key
		if changed, _, err := server.Reconfigure(ended, cfg); err == nil || changed != nil {
			t.Errorf("a context that has ended: %v, %v", changed, err)
		}
		if got := shown(t, server.listener.cert); got != "first" {
			t.Errorf("the certificate is %s", got)
		}
		server.reconfigured(func(c *TransportConfig) { c.TLSCertPath, c.TLSKeyPath = second.cert, second.key },
			"TLSCertPath TLSKeyPath", "")
		if got := shown(t, server.listener.cert); got != "second" {
			t.Errorf("the certificate is %s", got)
		}
		server.reconfigured(func(c *TransportConfig) { c.TLSCertPath, c.TLSKeyPath = "", "" }, "", "TLSCertPath TLSKeyPath")
	})
}
