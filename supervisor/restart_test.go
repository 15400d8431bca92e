package supervisor

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Messages from before a restart are not accepted again. After a graceful stop, the set on disk detects them. After a
// crash, messages with timestamps before it are stale for a TTL. Without sessions: those accept the peer's own messages
// with any timestamp.
func TestRestartDropsSeenMessages(t *testing.T) {
	for _, graceful := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			path := filepath.Join(t.TempDir(), "peers.db")
			keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
			if err != nil {
				t.Fatal(err)
			}
			start := func(number int) *testNode {
				return startNode(t, n, number, sessionsOff, func(s *nodeSetup) { s.keys, s.book = keys, openBook(t, path) })
			}
			first, other := start(1), startNode(t, n, 2)
			other.dial(first)
			msg := other.to(first.id(), "stats", nil)
			if err := other.Send(first.id(), msg); err != nil || len(first.got("stats")) != 1 {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			first.stop()
			if err := first.book.Close(); err != nil {
				t.Fatal(err)
			}
			seen := filepath.Join(filepath.Dir(path), "seen")
			if !graceful {
				leaveAsKilled(t, path, seen)
			}
			second := start(3)
			if _, err := os.Stat(seen); !os.IsNotExist(err) {
				t.Error("the dedup file is still there")
			}
			other.dial(second)
			fresh := other.to(second.id(), "stats", nil)
			for _, m := range []*wire.Message{msg, fresh} {
				if err := other.Send(second.id(), m); err != nil {
					t.Error(err)
				}
			}
			if got := second.got("stats"); len(got) != 1 || got[0] != fresh.ID {
				t.Errorf("graceful %v: %d handled after the restart, want the new one only", graceful, len(got))
			}
			if graceful {
				second.wantCount(actors.MessagesDuplicate, 1)
			} else {
				second.wantCount(actors.MessagesStale, 1)
			}
			if p, known := second.book.Get(other.id()); !known || p.Name != "node2" {
				t.Errorf("the book has forgotten the peer: %+v", p)
			}
		})
	}
}

// leaveAsKilled turns the files of a graceful stop into those of a kill -9.
func leaveAsKilled(t *testing.T, path, seen string) {
	t.Helper()
	book := openBook(t, path)
	if _, err := book.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(seen); err != nil {
		t.Fatal(err)
	}
}

// impostor sends the public identity of a victim without its key.
func impostor(t *testing.T, n *memnet.Network, ip, to string, victim crypto.NodeIdentity) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{DialContext: n.Attach(ip).DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+to+"/ws",
		&websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := wire.NewMessage(wire.MsgHandshake, "", "", wire.HandshakePayload{
		Identity: wire.Identity{
			ID: victim.ID, Name: victim.Name, PublicKey: victim.PublicKey, CreatedAt: victim.CreatedAt,
			Role: string(victim.Role),
		},
		Challenge: []byte(strings.Repeat("c", 32)), Version: "1.0", Features: []string{wire.FeatureSingleConnection},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := msg.AppendJSON(nil)
	if err == nil {
		err = ws.Write(t.Context(), websocket.MessageText, data)
	}
	if err == nil {
		_, _, err = ws.Read(t.Context()) // the ack
	}
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// The victim's public identity displaces nothing, whether the victim is connected or comes later, and changes no book.
func TestImpostorTakesNothingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, victim := startNode(t, n, 1), startNode(t, n, 2)
		early := impostor(t, n, "10.0.0.3", node.addr, victim.Identity())
		defer early.CloseNow()
		synctest.Wait()
		if c := node.GetConnection(victim.id()); c != nil {
			t.Errorf("before the victim came there is a route: %v", c)
		}
		if len(node.book.List()) != 0 {
			t.Error("an unverified peer is in the book")
		}
		victim.dial(node)
		route := node.GetConnection(victim.id())
		if !route.Verified() {
			t.Error("the route is not the verified connection")
		}
		late := impostor(t, n, "10.0.0.4", node.addr, victim.Identity())
		defer late.CloseNow()
		synctest.Wait()
		if node.GetConnection(victim.id()) != route {
			t.Error("an unverified connection took the traffic over")
		}
		for range 3 {
			if err := node.Send(victim.id(), node.to(victim.id(), "stats", nil)); err != nil {
				t.Error(err)
			}
		}
		if k := len(victim.got("stats")); k != 3 {
			t.Errorf("%d of 3 messages reached the victim", k)
		}
		if err := victim.Send(node.id(), victim.to(node.id(), "stats", nil)); err != nil || len(node.got("stats")) != 1 {
			t.Errorf("from the victim: %v, %d handled", err, len(node.got("stats")))
		}
		time.Sleep(time.Minute) // the impostors time out
		node.wantSlots(1, 0)
		if node.GetConnection(victim.id()) != route || len(eventsOf[PeerDown](node)) != 0 {
			t.Error("the impostors' end took the victim's connection along")
		}
	})
}

// A TCP connection that sends no request is closed after the handshake timeout.
func TestSilentTCPConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		conn, err := n.Attach("10.0.0.2").DialContext(context.Background(), "tcp", node.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("it was answered")
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("closed after %v, want 10s", took)
		}
	})
}
