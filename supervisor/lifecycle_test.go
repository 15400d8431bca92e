package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// upgrade requests a WebSocket and returns the status, and the connection if it is open.
func upgrade(t *testing.T, from *memnet.Host, to string, header string) (int, net.Conn) {
	t.Helper()
	conn, err := from.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	request := "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + header + "\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	var answer strings.Builder
	one := make([]byte, 1)
	for !strings.HasSuffix(answer.String(), "\r\n\r\n") {
		if _, err := conn.Read(one); err != nil {
			t.Fatalf("%v after %q", err, answer.String())
		}
		answer.Write(one)
	}
	var status int
	if _, err := fmt.Sscanf(answer.String(), "HTTP/1.1 %d", &status); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusSwitchingProtocols {
		conn.Close()
		return status, nil
	}
	return status, conn
}

// 100 peers connect at the same moment to a node with 20 slots. Exactly 20 are admitted, 80 get a 503, and after the
// handshake timeout all slots are free again.
func TestStampedeFillsExactlyMaxConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 20, -1 })
		many := n.Attach("10.0.0.2")
		var mu sync.Mutex
		count := make(map[int]int)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				status, conn := upgrade(t, many, node.addr, "")
				mu.Lock()
				defer mu.Unlock()
				count[status]++
				if conn != nil {
					all.Go(func() {
						_, _ = io.Copy(io.Discard, conn) // until it is closed
						conn.Close()
					})
				}
			})
		}
		synctest.Wait()
		mu.Lock()
		if count[101] != 20 || count[503] != 80 {
			t.Errorf("statuses %v, want 20 times 101 and 80 times 503", count)
		}
		mu.Unlock()
		node.wantSlots(0, 20)
		node.wantCount(actors.ConnectionsRefused, 80)
		if peak := node.host.Peak(); peak != 20 {
			t.Errorf("%d sockets at the same time, want 20", peak)
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		node.wantSlots(0, 20)
		time.Sleep(time.Nanosecond)
		node.wantSlots(0, 0)
		all.Wait()
		startNode(t, n, 3).dial(node)
		node.wantSlots(1, 0)
	})
}

func TestUpgradeChecksOriginAndPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		from := n.Attach("10.0.0.2")
		for origin, want := range map[string]int{
			"":                                101,
			"Origin: http://localhost:3000":   101,
			"Origin: http://example.com":      403,
			"Origin: null":                    403,
			"Origin: http://10.0.0.1:9091":    403, // its own address: DNS rebinding would make use of it
			"Origin: http://localhost.evil.x": 403,
		} {
			if origin != "" {
				origin += "\r\n"
			}
			status, conn := upgrade(t, from, node.addr, origin)
			if status != want {
				t.Errorf("%q: status %d, want %d", origin, status, want)
			}
			if conn != nil {
				conn.Close()
			}
		}
		node.wantCount(actors.OriginsRefused, 4)
		node.wantSlots(0, 0)
	})
}

func TestLimitPerAddressRefusesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 20, 3 })
		greedy, other := n.Attach("10.0.0.2"), n.Attach("10.0.0.3")
		for i, want := range []int{101, 101, 101, 503, 503} {
			status, conn := upgrade(t, greedy, node.addr, "")
			if status != want {
				t.Errorf("connection %d: status %d, want %d", i, status, want)
			}
			if conn != nil {
				defer conn.Close()
			}
		}
		status, conn := upgrade(t, other, node.addr, "")
		if status != 101 {
			t.Errorf("another address: %d", status)
		}
		conn.Close()
		node.wantSlots(0, 3)
	})
}

func TestReservedConnsAdmitTheAllowlist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns, s.cfg.ReservedConns, s.cfg.MaxConnsPerAddress = 3, 1, -1
		})
		a, b, c, d := startNode(t, n, 2), startNode(t, n, 3), startNode(t, n, 4), startNode(t, n, 5)
		if err := node.Allow(d.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		a.dial(node)
		b.dial(node)
		if _, err := c.Connect(&Peer{Address: node.addr}); !errors.Is(err, ErrRefused) {
			t.Errorf("the third stranger: %v, want a refusal", err)
		}
		time.Sleep(2 * time.Second) // the slot is free once its socket is closed
		d.dial(node)
		node.wantSlots(3, 0)
	})
}

func TestStopDisconnectsEveryPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		var others []*testNode
		for i := range 5 {
			o := startNode(t, n, 2+i)
			o.dial(node)
			others = append(others, o)
		}
		start := time.Now()
		if err := node.StopContext(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, o := range others {
			down := eventsOf[PeerDown](o)
			if len(down) != 1 || down[0].Code != wire.DisconnectShutdown || !down[0].Remote || down[0].Name != "node1" {
				t.Errorf("node %d: down %+v, want 1004 by the peer node1", i, down)
			}
		}
		if k := len(eventsOf[PeerDown](node)); k != 5 {
			t.Errorf("%d down events at the node itself, want 5", k)
		}
		if err := node.StopContext(t.Context()); err != nil {
			t.Errorf("a second Stop: %v", err)
		}
		if _, err := node.Connect(&Peer{Address: others[0].addr}); !errors.Is(err, ErrStopped) {
			t.Errorf("Connect afterwards: %v", err)
		}
		if err := node.Broadcast(node.to("", "x", nil)).Err(); !errors.Is(err, ErrStopped) {
			t.Errorf("Broadcast afterwards: %v", err)
		}
		if err := node.Start(); err == nil {
			t.Error("started again")
		}
	})
}

// A peer that reads nothing does not delay Stop beyond its deadline.
func TestStopEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		n.Stall("10.0.0.1", "10.0.0.2")
		for range 4 {
			go func() { _ = a.Send(b.id(), a.to(b.id(), "stats", strings.Repeat("x", 200_000))) }()
		}
		synctest.Wait()
		start := time.Now()
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("it took %v, want ShutdownTimeout of 5s", took)
		}
		n.Heal()
	})
}

// A handler may call any method, Stop of its own node included.
func TestHandlerMayCallAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		var stopped error
		done := make(chan struct{})
		b.handler = func(c *PeerConnection, msg *wire.Message) {
			switch msg.Type {
			case "ask back":
				if _, err := b.Request(a.id(), b.to(a.id(), wire.MsgPing, wire.PingPayload{})); err != nil {
					t.Errorf("Request in a handler: %v", err)
				}
			case "stop":
				c.GracefulClose("by the handler", wire.DisconnectNormal)
				stopped = b.Stop()
				close(done)
			}
		}
		a.dial(b)
		for _, kind := range []wire.MessageType{"ask back", "stop"} {
			if err := a.Send(b.id(), a.to(b.id(), kind, nil)); err != nil {
				t.Fatal(err)
			}
		}
		<-done
		if stopped != nil {
			t.Errorf("Stop in a handler: %v", stopped)
		}
		if down := eventsOf[PeerDown](a); len(down) != 1 {
			t.Errorf("down %+v", down)
		}
	})
}

// A handler that never returns, or panics, affects only messages of its own connection.
func TestHandlerFaultsStayInTheirConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		release := make(chan struct{})
		b.handler = func(_ *PeerConnection, msg *wire.Message) {
			switch msg.Type {
			case "block":
				<-release
			case "panic":
				panic("handler: injected")
			}
		}
		a.dial(b)
		c.dial(b)
		for range 3 {
			if err := c.Send(b.id(), c.to(b.id(), "panic", nil)); err != nil {
				t.Fatal(err)
			}
		}
		b.wantCount(actors.HandlerPanics, 3)
		if err := a.Send(b.id(), a.to(b.id(), "block", nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if err := c.Send(b.id(), c.to(b.id(), "stats", nil)); err != nil || len(b.got("stats")) != 1 {
			t.Errorf("another connection's message: %v, %d handled", err, len(b.got("stats")))
		}
		b.wantSlots(2, 0)
		a.wantCount(actors.PeersTimedOut, 0)
		close(release)
	})
}
