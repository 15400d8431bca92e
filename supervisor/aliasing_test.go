package supervisor

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// spoil overwrites all memory that a message refers to.
func spoil(msg *wire.Message) {
	for i := range msg.Payload {
		msg.Payload[i] = '#'
	}
	*msg = wire.Message{Payload: msg.Payload[:0]}
}

// The caller changes its configuration after each call that takes one. The race detector reports a shared access.
func TestConfigurationIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		peers := []string{"10.0.0.7:9091"}
		proxies := []netip.Prefix{netip.MustParsePrefix("10.0.9.0/24")}
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers, s.cfg.TrustedProxies = peers, proxies })
		change := func() {
			go func() {
				peers[0], proxies[0] = "10.0.0.8:9091", netip.MustParsePrefix("0.0.0.0/0")
			}()
			_, conn := upgrade(t, n.Attach("10.0.1.1"), node.addr, "") // not through a proxy
			conn.Close()
			if now := node.live.Load(); now.Peers[0] != "10.0.0.7:9091" || now.TrustedProxies[0].Bits() != 24 {
				t.Errorf("the configuration became %v, %v", now.Peers, now.TrustedProxies)
			}
			synctest.Wait()
			peers[0], proxies[0] = "10.0.0.7:9091", netip.MustParsePrefix("10.0.9.0/24")
		}
		change()
		cfg := *node.live.Load()
		cfg.Peers, cfg.TrustedProxies, cfg.MaxConns = peers, proxies, 50
		changed, restart, err := node.Reconfigure(t.Context(), cfg)
		if err != nil || !slices.Equal(changed, []string{"MaxConns"}) || len(restart) > 0 {
			t.Fatalf("changed %v, restart %v, %v", changed, restart, err)
		}
		change()
	})
}

// A message belongs to its author again when Send, Post, Broadcast or Request returns, and when an actor has answered.
func TestSentMessagesAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		b.handler = func(c *PeerConnection, msg *wire.Message) {
			if msg.Type == "ask" {
				reply, err := msg.Reply("answer", nil)
				if err == nil {
					err = c.Send(reply)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
		c := a.dial(b)
		payload := strings.Repeat("x", 10000)
		calls := map[string]func(*wire.Message) error{
			"send": func(m *wire.Message) error { return a.Send(b.id(), m) },
			"post": func(m *wire.Message) error { return c.Post(m) },
			"broadcast": func(m *wire.Message) error {
				m.To = ""
				return a.Broadcast(m).Err()
			},
			"ask": func(m *wire.Message) error {
				_, err := a.Request(b.id(), m)
				return err
			},
			"actor": func(m *wire.Message) error { return order[*Sent](t, a, &Send{Peer: b.id(), Message: m}).Err },
		}
		for kind, call := range calls {
			msg := a.to(b.id(), wire.MessageType(kind), payload)
			if err := call(msg); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			spoil(msg)
		}
		synctest.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		intact := 0
		for _, msg := range b.messages {
			if _, sent := calls[string(msg.Type)]; sent && string(msg.Payload) == `"`+payload+`"` {
				intact++
			}
		}
		if intact != len(calls) {
			t.Errorf("%d messages arrived as they were, want %d", intact, len(calls))
		}
	})
}

// A cancelled broadcast is still queued, unchanged.
func TestBroadcastGivenUpIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		release := make(chan struct{})
		a.tell(&question{message: &getCounts{}, reply: func(any) { <-release }}) // keeps the registry busy
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		msg := a.to("", "late", "intact")
		if err := a.BroadcastContext(ctx, msg).Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		spoil(msg)
		close(release)
		if ids := b.got("late"); len(ids) != 1 {
			t.Errorf("%d messages arrived, want 1", len(ids))
		}
	})
}

// A handler owns the message that it receives, and so does each subscriber.
func TestReceivedMessagesAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		var seen []string
		check := func(m *wire.Message) {
			if m.Type == "stats" {
				seen = append(seen, string(m.Payload))
				spoil(m)
			}
		}
		for range 2 {
			pid := b.opts.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if r, is := ctx.Message().(Received); is {
					b.mu.Lock()
					defer b.mu.Unlock()
					check(r.Message)
				}
			}))
			order[*Subscribed](t, b, &Subscribe{PID: pid})
		}
		b.handler = func(_ *PeerConnection, m *wire.Message) {
			b.mu.Lock()
			defer b.mu.Unlock()
			check(m)
		}
		a.dial(b)
		if err := a.Send(b.id(), a.to(b.id(), "stats", 1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if want := []string{"1", "1", "1"}; !slices.Equal(seen, want) {
			t.Errorf("seen %v, want %v", seen, want)
		}
	})
}

// Callers may change the values that the transport returns, without an effect on it.
func TestResultsAreTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		for range 2 {
			counters := a.Counters()
			list, connected := a.book.List(), a.Connected()
			known, err := a.Peers(t.Context())
			if err != nil || counters["dials"] != 1 || len(list) != 1 || len(connected) != 1 || len(known) != 1 ||
				list[0].ID != b.id() || connected[0].ID != b.id() || known[0].ID != b.id() || wire.SupportedVersions()[0] != "1.0" {
				t.Fatalf("counters %v, list %v, connected %v, known %v, %v", counters, list, connected, known, err)
			}
			counters["dials"] = 9
			list[0], connected[0], known[0] = Peer{}, PeerInfo{}, PeerInfo{}
			wire.SupportedVersions()[0] = "2.0"
		}
	})
}
