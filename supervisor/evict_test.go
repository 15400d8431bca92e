package supervisor

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// guarded starts a node with 8 slots, 4 of them reserved and at most 2 per address, and returns the keys of a friend.
func guarded(t *testing.T, n *memnet.Network, options ...Option) (node *testNode, friend *crypto.NodeManager) {
	t.Helper()
	friend, err := crypto.NewEphemeralNodeManager("friend", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	node = startNode(t, n, 1, func(s *nodeSetup) {
		s.cfg.MaxConns, s.cfg.ReservedConns, s.cfg.MaxConnsPerAddress = 8, 4, 2
		s.options = options
		if err := s.book.Allow(friend.PublicKey()); err != nil {
			t.Fatal(err)
		}
	})
	return node, friend
}

// silent opens connections that send nothing.
func silent(t *testing.T, from *memnet.Host, to string, slots int) (taken []net.Conn) {
	t.Helper()
	for range slots {
		status, conn := upgrade(t, from, to, "")
		if status != http.StatusSwitchingProtocols {
			t.Fatalf("status %d", status)
		}
		t.Cleanup(func() { conn.Close() })
		taken = append(taken, conn)
		time.Sleep(time.Millisecond)
	}
	return taken
}

// fillSilently takes all 8 slots of a guarded node with silent connections, two from each address.
func fillSilently(t *testing.T, n *memnet.Network, node *testNode) (strangers []net.Conn) {
	t.Helper()
	for i := range 4 {
		strangers = append(strangers, silent(t, n.Attach(fmt.Sprint("10.0.1.", i)), node.addr, 2)...)
	}
	return strangers
}

// wantClosed checks that exactly the first connections are closed.
func wantClosed(t *testing.T, strangers []net.Conn, first int) {
	t.Helper()
	for i, conn := range strangers {
		if got := closed(t, conn); got != (i < first) {
			t.Errorf("stranger %d is closed: %v", i, got)
		}
	}
}

// closed reports whether the other side has closed a connection.
func closed(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// Silent connections hold every slot. A peer on the allowlist is admitted and takes the slot of the oldest.
func TestSilentConnectionsYieldReservedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, keys := guarded(t, n)
		strangers := fillSilently(t, n, node)
		node.wantSlots(0, 8)
		friend := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		friend.dial(node)
		node.wantSlots(1, 7)
		wantClosed(t, strangers, 1)
		node.wantCount(actors.HandshakesRejected, 1)
		node.wantCount(actors.ConnectionsRefused, 0)
		time.Sleep(10 * time.Second)
		node.wantSlots(1, 0)
	})
}

// Silent connections do not keep the node from dialling a peer on the allowlist: the oldest is evicted, once. Without
// reserved slots, none is evicted.
func TestSilentConnectionsYieldToOwnDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, keys := guarded(t, n)
		strangers := fillSilently(t, n, node)
		friend := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		node.dial(friend)
		node.wantSlots(1, 7)
		wantClosed(t, strangers, 1)
		node.wantCount(actors.HandshakesRejected, 1)
		node.wantCount(actors.Dials, 1)
		node.wantCount(actors.DialsFailed, 0)

		other := startNode(t, n, 3)
		node.reconfigured(func(c *TransportConfig) { c.ReservedConns = 0 }, "ReservedConns", "")
		if _, err := node.Connect(&Peer{Address: other.addr}); !errors.Is(err, ErrNoRoom) {
			t.Errorf("without reserved slots: %v, want %v", err, ErrNoRoom)
		}
	})
}

// Silent connections that return again and again, from fewer addresses than slots, do not keep the peer out either.
func TestFloodYieldsReservedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, keys := guarded(t, n)
		n.SetLatency("10.0.0.1", "10.0.0.2", 200*time.Millisecond)
		n.SetLatency("10.0.0.2", "10.0.0.1", 200*time.Millisecond)
		var over atomic.Bool
		for i := range 7 {
			ip := fmt.Sprint("10.0.1.", i)
			from := n.Attach(ip)
			n.SetLatency(ip, "10.0.0.1", time.Millisecond)
			n.SetLatency("10.0.0.1", ip, time.Millisecond)
			go func() {
				for !over.Load() {
					if _, conn := upgrade(t, from, node.addr, ""); conn != nil {
						time.AfterFunc(time.Second, func() { conn.Close() })
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
		}
		time.Sleep(time.Second)
		friend := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		friend.dial(node)
		if e, p := node.slotCounts(); e != 1 || e+p > 8 {
			t.Errorf("%d established, %d pending, want 1 of 8 at most", e, p)
		}
		over.Store(true)
		time.Sleep(2 * time.Second)
	})
}

// A connection evicts no handshake of an address with fewer handshakes than its own, regardless of the burst.
func TestEvictionSparesAddressesWithFewerHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, _ := guarded(t, n)
		var alone []net.Conn
		for i := range 6 {
			alone = append(alone, silent(t, n.Attach(fmt.Sprint("10.0.1.", i)), node.addr, 1)...)
		}
		pair := silent(t, n.Attach("10.0.1.6"), node.addr, 2)
		busy := n.Attach("10.0.1.7")
		var in atomic.Int32
		for range 16 { // the maximum before the upgrade for one address
			go func() {
				if _, conn := upgrade(t, busy, node.addr, ""); conn != nil {
					in.Add(1)
					time.Sleep(time.Second)
					conn.Close()
				}
			}()
		}
		synctest.Wait()
		node.wantSlots(0, 8)
		if in.Load() == 0 || !closed(t, pair[0]) || closed(t, pair[1]) {
			t.Error("the address with two slots lost none to the address without one")
		}
		wantClosed(t, alone, 0) // their addresses have fewer handshakes
		time.Sleep(20 * time.Second)
		node.wantSlots(0, 0)
		silent(t, busy, node.addr, 2) // the count of the address is zero again
	})
}

// slowConn delays Close.
type slowConn struct{ net.Conn }

func (c slowConn) Close() error {
	time.Sleep(time.Second)
	return c.Conn.Close()
}

// Admissions that wait for a slot count for the limit of their address.
func TestWaitingAdmissionsCountForTheirAddress(t *testing.T) {
	for name, c := range map[string]struct {
		addresses []string
		want      int
	}{
		"by handshakes": {strings.Fields("10.0.1.0 10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5 10.0.1.6 10.0.1.6"), 1},
		"by the limit":  {slices.Repeat([]string{"127.0.0.1"}, 8), 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			node, _ := guarded(t, n, WithConnWrapper(func(c net.Conn) net.Conn { return slowConn{c} }))
			for _, address := range c.addresses {
				silent(t, n.Attach(address), node.addr, 1)
			}
			answers := make(chan *actors.Slot, 20)
			for range cap(answers) {
				node.tell(askForSlot(answers))
			}
			synctest.Wait()
			if refused := len(answers); refused != cap(answers)-c.want {
				t.Errorf("%s: %d of %d are refused, want all but %d", name, refused, cap(answers), c.want)
			}
			time.Sleep(2 * time.Second)
			got := 0
			for range len(answers) {
				if <-answers != nil {
					got++
				}
			}
			if got != c.want {
				t.Errorf("%s: %d got a slot, want %d", name, got, c.want)
			}
			node.wantSlots(0, 8)
		})
	}
}

// An admission that would be refused evicts nothing: from an address at its limit, or if too many wait already.
func TestRefusedAdmissionEvictsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, _ := guarded(t, n)
		strangers := fillSilently(t, n, node)
		refused := func(ip string) {
			t.Helper()
			if status, _ := upgrade(t, n.Attach(ip), node.addr, ""); status != http.StatusServiceUnavailable {
				t.Errorf("from %s: status %d, want 503", ip, status)
			}
		}
		refused("10.0.1.3")
		node.reconfigured(func(c *TransportConfig) { c.MaxConns, c.ReservedConns = 4, 2 }, "MaxConns ReservedConns", "")
		refused("10.0.1.4")
		wantClosed(t, strangers, 0)
	})
}

func askForSlot(answers chan<- *actors.Slot) *question {
	return &question{
		&admission{remote: "10.0.2.1:1", since: time.Now()},
		func(answer any) { answers <- answer.(*actors.Slot) },
	}
}

// An admission that waits for a slot is refused when the node stops. The slot is freed after a second, so the node
// stops during the wait.
func TestStopRefusesWaitingAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, _ := guarded(t, n, WithConnWrapper(func(c net.Conn) net.Conn { return slowConn{c} }))
		fillSilently(t, n, node)
		answer := make(chan *actors.Slot, 1)
		node.tell(askForSlot(answer))
		node.tell(&shutdown{})
		synctest.Wait()
		if slot := <-answer; slot != nil {
			t.Error("it got a slot")
		}
	})
}

// An evicted connection does not open, even if its handshake result was already in the registry's mailbox.
func TestEvictedConnectionStaysClosed(t *testing.T) {
	s := &slot{pid: actor.NewPID("here", "peer"), successor: &successor{}}
	r := &registry{slots: map[string]*slot{"peer": s}, peers: map[string][]*slot{}}
	r.onConnection(nil, &actors.Identified{PID: s.pid, Identity: crypto.NodeIdentity{ID: "stranger"}})
	if s.conn != nil || len(r.peers) != 0 {
		t.Error("it has opened")
	}
}
