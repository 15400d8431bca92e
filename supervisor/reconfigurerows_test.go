package supervisor

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fieldRows returns one row for each field of TransportConfig.
func fieldRows(t *testing.T) map[string]fieldRow {
	t.Helper()
	first, second := newCertFiles(t), newCertFiles(t)
	first.write(t, "first", time.Now())
	second.write(t, "second", time.Now())
	certificates := fieldRow{
		base:    func(c *TransportConfig) { c.TLSCertPath, c.TLSKeyPath = first.cert, first.key },
		change:  func(c *TransportConfig) { c.TLSCertPath, c.TLSKeyPath = second.cert, second.key },
		observe: func(w *fieldWorld) any { return shown(w.t, w.node.listener.cert) },
	}
	return map[string]fieldRow{
		"ListenAddr": {
			change: func(c *TransportConfig) { c.ListenAddr = "127.0.0.1:1" }, restart: true,
			observe: func(w *fieldWorld) any { return w.node.live.Load().ListenAddr },
		},
		"WSPath": {
			change: func(c *TransportConfig) { c.WSPath = "/other" }, restart: true,
			observe: func(w *fieldWorld) any { return w.node.URL() },
		},
		"TrustedProxies": {
			change:  func(c *TransportConfig) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")} },
			restart: true, observe: (*fieldWorld).answered,
		},
		"DedupTTL": {
			change: func(c *TransportConfig) { c.DedupTTL = time.Hour }, restart: true,
			observe: (*fieldWorld).dedupWindow,
		},
		"MaxClockSkew": {
			change: func(c *TransportConfig) { c.MaxClockSkew = time.Hour }, restart: true,
			observe: (*fieldWorld).dedupWindow,
		},
		"MaxConns": {
			change: func(c *TransportConfig) { c.MaxConns = 12 },
			observe: func(w *fieldWorld) any {
				limit, _ := w.node.dedup.Limits()
				return []any{w.claimsReported(), w.accepted(), limit}
			},
		},
		"MaxConnsPerAddress": {
			change: func(c *TransportConfig) { c.MaxConnsPerAddress = 2 }, observe: (*fieldWorld).accepted,
		},
		"ReservedConns": {
			change: func(c *TransportConfig) { c.ReservedConns = 1 }, observe: (*fieldWorld).accepted,
		},
		"MaxMessageSize": {
			change:  func(c *TransportConfig) { c.MaxMessageSize = 4 << 10 },
			observe: func(w *fieldWorld) any { return w.send(w.peer(), 8<<10) != nil },
		},
		"PingInterval": {
			change: func(c *TransportConfig) { c.PingInterval = 7 * time.Second }, observe: (*fieldWorld).pings,
		},
		"PongTimeout": {
			change: func(c *TransportConfig) { c.PongTimeout = time.Minute }, observe: (*fieldWorld).silence,
		},
		"HandshakeTimeout": {
			base:   func(c *TransportConfig) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.9.0/24")} },
			change: func(c *TransportConfig) { c.HandshakeTimeout = 3 * time.Second },
			observe: func(w *fieldWorld) any {
				return []time.Duration{
					w.untilClosed("10.0.9.1", ""), w.untilClosed("10.0.1.1", ""), w.untilClosed("10.0.1.1", "GET /ws HTTP/1.1\r\n"),
					w.upgradedUntilClosed(), w.dialUntilError(),
				}
			},
		},
		"WriteTimeout": {
			change: func(c *TransportConfig) { c.WriteTimeout = 4 * time.Second }, observe: (*fieldWorld).stalledWrite,
		},
		"ShutdownTimeout": {
			change: func(c *TransportConfig) { c.ShutdownTimeout = time.Second }, observe: (*fieldWorld).stalledStop,
		},
		"RateBurst": {
			change: func(c *TransportConfig) { c.RateBurst = 30 }, observe: (*fieldWorld).flood,
		},
		"RateRefill": {
			change: func(c *TransportConfig) { c.RateRefill = 80 }, observe: (*fieldWorld).flood,
		},
		"Pacing": {
			change: func(c *TransportConfig) { c.Pacing = PacingOff }, observe: (*fieldWorld).pace,
		},
		"Session": {
			change: func(c *TransportConfig) { c.Session = SessionRequire }, observe: (*fieldWorld).speaksSMSG,
		},
		"SessionPQ": {
			change:  func(c *TransportConfig) { c.SessionPQ = true },
			observe: func(w *fieldWorld) any { return w.node.dial(startNode(w.t, w.net, 2)).Format().KEM },
		},
		"Agent": {
			change:  func(c *TransportConfig) { c.Agent = "other 2" },
			observe: func(w *fieldWorld) any { return w.node.live.Load().limits().Agent },
		},
		"QueueMessages": {
			change:  func(c *TransportConfig) { c.QueueMessages = 16 },
			observe: func(w *fieldWorld) any { return w.queued(100) },
		},
		"QueueBytes": {
			change:  func(c *TransportConfig) { c.QueueBytes = 1 << 20 },
			observe: func(w *fieldWorld) any { return w.queued(64 << 10) },
		},
		"QueueTotalBytes": {
			change:  func(c *TransportConfig) { c.QueueTotalBytes = 8 << 20 },
			observe: func(w *fieldWorld) any { return w.queued(64 << 10) },
		},
		"InboundBytes": {
			change: func(c *TransportConfig) { c.InboundBytes = 256 << 10 }, observe: (*fieldWorld).undelivered,
		},
		"TLSCertPath": certificates,
		"TLSKeyPath":  certificates,
		"TLSCAPath": {
			base:   func(c *TransportConfig) { c.TLSCAPath = second.cert },
			change: func(c *TransportConfig) { c.TLSCAPath = first.cert },
			observe: func(w *fieldWorld) any {
				first.write(w.t, "first", time.Now()) // valid by the clock of the bubble
				second.write(w.t, "second", time.Now())
				other := startNode(w.t, w.net, 2, func(s *nodeSetup) {
					s.cfg.TLSCertPath, s.cfg.TLSKeyPath = first.cert, first.key
				})
				_, err := w.node.Connect(&Peer{Address: "wss://" + other.addr + "/ws"})
				return err == nil
			},
		},
		"Peers": {
			change: func(c *TransportConfig) { c.Peers = []string{"10.0.0.7:9091"} },
			observe: func(w *fieldWorld) any {
				synctest.Wait()
				return w.node.Counters()["dials"]
			},
		},
	}
}

// peer connects the node to another one, which sends no pings and takes large messages and any number of them.
func (w *fieldWorld) peer() *testNode {
	other := startNode(w.t, w.net, 2, func(s *nodeSetup) {
		s.cfg.PingInterval, s.cfg.PongTimeout, s.cfg.Pacing, s.cfg.RateRefill = 10*time.Hour, 10*time.Hour, PacingOff, 0
	})
	w.node.dial(other)
	return other
}

func (w *fieldWorld) send(other *testNode, size int) error {
	return w.node.Send(other.id(), w.node.to(other.id(), "large", strings.Repeat("x", size)))
}

func (w *fieldWorld) dedupWindow() any { return w.node.dedup.UntilRotation(time.Now()) }

// accepted returns the HTTP statuses of upgrades: three from each of five hosts.
func (w *fieldWorld) accepted() any {
	var statuses []int
	for _, ip := range []string{"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"} {
		host := w.net.Attach(ip)
		for range 3 {
			status, conn := upgrade(w.t, host, w.node.addr, "")
			if statuses = append(statuses, status); conn != nil {
				defer conn.Close()
			}
		}
	}
	return statuses
}

// answered reports whether a request without a PROXY header gets an answer.
func (w *fieldWorld) answered() any {
	conn, err := w.net.Attach("10.0.1.1").DialContext(w.t.Context(), "tcp", w.node.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		w.t.Error(err)
	}
	answer, _ := io.ReadAll(conn)
	return len(answer) > 0
}

// claimsReported returns how many of 130 impostors are reported at once. Two addresses: one has 100 slots at once.
func (w *fieldWorld) claimsReported() int {
	for i := range 130 {
		impostor(w.t, w.net, fmt.Sprint("10.0.2.", 1+i%2), w.node.addr, newKeys(w.t, "stranger").Identity()).CloseNow()
	}
	return len(eventsOf[PeerUp](w.node))
}

func (w *fieldWorld) pings() any {
	other := w.peer()
	time.Sleep(10 * time.Minute)
	return len(other.got("ping"))
}

// silence returns the time until the node closes the connection of a peer that has vanished.
func (w *fieldWorld) silence() any {
	other := w.peer()
	w.net.Stall(other.host.IP(), w.node.host.IP())
	return w.until(func() bool { return len(eventsOf[PeerDown](w.node)) > 0 })
}

// until returns the time until a condition holds, in steps of 1 ms and at most 5 minutes.
func (w *fieldWorld) until(condition func() bool) time.Duration {
	began := time.Now()
	for !condition() && time.Since(began) < 5*time.Minute {
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// untilClosed returns the time until the node closes a connection on which text was written and nothing more.
func (w *fieldWorld) untilClosed(ip, text string) time.Duration {
	began := time.Now()
	conn, err := w.net.Attach(ip).DialContext(w.t.Context(), "tcp", w.node.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		w.t.Error(err)
	}
	if answer, _ := io.ReadAll(conn); len(answer) > 0 {
		w.t.Errorf("the answer is %s", answer)
	}
	return time.Since(began)
}

// upgradedUntilClosed returns the time until the node closes a WebSocket without a handshake.
func (w *fieldWorld) upgradedUntilClosed() time.Duration {
	began := time.Now()
	_, conn := upgrade(w.t, w.net.Attach("10.0.1.1"), w.node.addr, "")
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(began)
}

// dialUntilError returns the time until the node aborts a dial without an answer.
func (w *fieldWorld) dialUntilError() time.Duration {
	ln, err := w.net.Attach("10.0.0.9").Listen(9091)
	if err != nil {
		w.t.Fatal(err)
	}
	defer ln.Close()
	began := time.Now()
	if _, err := w.node.Connect(&Peer{Address: "10.0.0.9:9091"}); err == nil {
		w.t.Error("connected to nothing")
	}
	return time.Since(began)
}

// stalledWrite returns the time until Send fails on a blocked path.
func (w *fieldWorld) stalledWrite() any {
	other := w.peer()
	w.net.Stall(w.node.host.IP(), other.host.IP())
	began := time.Now()
	for w.send(other, 512<<10) == nil && time.Since(began) < time.Minute {
	}
	return time.Since(began)
}

// stalledStop returns the duration of Stop while a peer reads nothing.
func (w *fieldWorld) stalledStop() any {
	other := w.peer()
	w.net.Stall(w.node.host.IP(), other.host.IP())
	for range 8 {
		_ = w.node.GetConnection(other.id()).Post(w.node.to(other.id(), "large", strings.Repeat("x", 512<<10)))
	}
	began := time.Now()
	if err := w.node.Stop(); err != nil {
		w.t.Error(err)
	}
	return time.Since(began)
}
