package cluster_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/wire"
)

// codesOf returns the disconnect codes of a host's PeerDown events.
func (h *host) codesOf() (codes []wire.DisconnectCode) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if down, ok := e.(supervisor.PeerDown); ok {
			codes = append(codes, down.Code)
		}
	}
	return codes
}

// All peers of a draining member are connected to the others before Drain returns.
func TestDrainMovesAllPeers(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		a := m.hosts["a"]
		var peers []*host
		for i := range 20 { // the pins let them dial a first
			pinned := func(c *supervisor.TransportConfig) {
				c.Peers = []string{a.address() + "#" + nodeID(), m.hosts["b"].address() + "#" + nodeID()}
			}
			peers = append(peers, m.peer(fmt.Sprintf("peer%d", i), nil, pinned))
		}
		m.pass(time.Minute)
		before := a.ConnectedPeers()
		if before != len(peers) || !a.Accepting() {
			t.Fatalf("%d peers at a, accepting %v", before, a.Accepting())
		}
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- a.Drain(t.Context()) }()
		m.pass(time.Second)
		if a.Accepting() {
			t.Error("a draining member is accepting")
		}
		late := m.peer("late", nil)
		if _, err := late.Connect(&supervisor.Peer{Address: a.address()}); err == nil {
			t.Error("a draining member has admitted a peer")
		}
		if _, err := a.Connect(&supervisor.Peer{Address: late.address()}); !errors.Is(err, supervisor.ErrDraining) {
			t.Errorf("Connect of a draining member: %v", err)
		}
		for _, member := range m.hosts["b"].engine.Members() {
			if want := member.Name == "a"; want != (member.State == supervisor.MemberDraining) {
				t.Errorf("%s is %v", member.Name, member.State)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 2*time.Second || took > 8*time.Second {
			t.Errorf("Drain took %v", took)
		}
		m.check("late")
		moved := 0
		for _, p := range peers {
			if m.home(p) != m.hosts["b"] {
				t.Errorf("%s is at %q", p.name, m.homes(p.id()))
			}
			for _, code := range p.codesOf() {
				if code == wire.DisconnectGoingAway {
					moved++
				}
			}
		}
		if moved != before {
			t.Errorf("%d goodbyes with code 1001, want %d", moved, before)
		}
		a.stop()
		m.pass(time.Second)
		m.check("late")
	})
}

// The last member drains nothing, so that Stop says its own goodbye.
func TestDrainOfTheLastMemberDoesNothing(t *testing.T) {
	inMesh(t, "a", func(t *testing.T, m *mesh) {
		m.peer("peer", []string{"a"})
		m.pass(time.Second)
		began := time.Now()
		if err := m.hosts["a"].Drain(t.Context()); err != nil || time.Since(began) > 0 {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		m.check()
	})
}

// Stop during Drain ends both.
func TestStopEndsDrain(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.peer("peer", []string{"a"}) // it has nowhere to go
		m.pass(time.Second)
		a := m.hosts["a"]
		done := make(chan error, 1)
		go func() { done <- a.Drain(t.Context()) }()
		m.pass(2500 * time.Millisecond)
		a.stop()
		if err := <-done; err != nil && !errors.Is(err, supervisor.ErrStopped) {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.hosts["b"].Drain(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Drain with an ended context: %v", err)
		}
	})
}

// A further Drain returns, too: the first may have been ended by its context.
func TestDrainAgainReturns(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.peer("peer", []string{"a", "b"})
		m.pass(time.Minute)
		for i := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := m.hosts["a"].Drain(ctx); err != nil {
				t.Errorf("Drain %d: %v", i+1, err)
			}
			cancel()
		}
	})
}

// A member sends a heartbeat every 250 ms, with one more at once when it drains, also if it drains twice.
func TestDrainingMemberKeepsItsBeat(t *testing.T) {
	inWorld(t, "a", func(t *testing.T, w *world) {
		var beats, draining int
		if _, err := w.net.Bus("listener").Subscribe("p2p.node.dir", func(d cluster.Delivery) {
			if head := []byte{1, 2, 1, 'a'}; bytes.HasPrefix(d.Body, head) {
				beats++
				rest := d.Body[len(head)+8:]
				_, n := binary.Uvarint(rest)
				draining += int(rest[n])
			}
		}); err != nil {
			t.Fatal(err)
		}
		w.members["a"].engine.Drain()
		w.members["a"].engine.Drain()
		time.Sleep(10*time.Second + 10*time.Millisecond)
		synctest.Wait()
		if beats != 42 || draining != 42 {
			t.Errorf("%d heartbeats in 10 s, %d of them of a draining member, want 42", beats, draining)
		}
	})
}
