package p2ptest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Five nodes in a ring get faults by seed, and are whole again afterwards: each has a route to its peer, and gets an
// answer.
func TestProgramsSurviveSeededFaults(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p2ptest.Run(t, seed, func(s *p2ptest.Simulation) {
				var nodes []*p2ptest.Node
				for i := range 5 {
					p := p2ptest.Program{Setup: func(n *supervisor.Transport) { n.Handle("sum", sum) }}
					if i > 0 {
						p.Peers = nodes[i-1:]
					}
					nodes = append(nodes, s.Start(fmt.Sprint("node", i), p))
				}
				for range 30 {
					s.Fault()
					s.Pass(time.Duration(s.Random().IntN(20)) * time.Second)
				}
				s.Heal()
				s.Pass(3 * time.Minute)
				for i, n := range nodes[1:] {
					msg, err := wire.NewMessage("sum", n.ID(), nodes[i].ID(), []int{i})
					if err != nil {
						t.Fatal(err)
					}
					if reply, err := n.Request(nodes[i].ID(), msg); err != nil || string(reply.Payload) != fmt.Sprint(i) {
						t.Errorf("%s to %s: %v, %v", n.Name(), nodes[i].Name(), reply, err)
					}
				}
			})
		})
	}
}

// Each fault has its effect at the other node, at the time of the node's limits.
func TestFaultsHaveTheirEffect(t *testing.T) {
	tests := map[string]struct {
		fault func(s *p2ptest.Simulation, alice, bob *p2ptest.Node)
		after time.Duration       // until bob reports the end
		code  wire.DisconnectCode // of that end; 0: none within ten minutes
		back  bool                // connected ten minutes later
	}{
		"cut":   {func(s *p2ptest.Simulation, a, b *p2ptest.Node) { s.Cut(a, b) }, 0, wire.DisconnectGoingAway, true},
		"block": {func(s *p2ptest.Simulation, a, b *p2ptest.Node) { s.Block(a, b) }, 40 * time.Second, 1003, false},
		"one way": {
			func(s *p2ptest.Simulation, a, b *p2ptest.Node) { s.BlockOneWay(a, b) }, 40 * time.Second, 1003, false,
		},
		"kill":        {func(_ *p2ptest.Simulation, a, _ *p2ptest.Node) { a.Kill() }, 0, wire.DisconnectGoingAway, false},
		"power off":   {func(_ *p2ptest.Simulation, a, _ *p2ptest.Node) { a.PowerOff() }, 40 * time.Second, 1003, false},
		"stop":        {func(_ *p2ptest.Simulation, a, _ *p2ptest.Node) { _ = a.Stop() }, 0, wire.DisconnectShutdown, false},
		"long freeze": {func(_ *p2ptest.Simulation, a, _ *p2ptest.Node) { a.Freeze() }, 40 * time.Second, 1003, false},
		"short freeze": {func(s *p2ptest.Simulation, a, _ *p2ptest.Node) {
			a.Freeze()
			s.Pass(20 * time.Second)
			a.Thaw()
		}, 0, 0, true},
		"both frozen": {func(s *p2ptest.Simulation, a, b *p2ptest.Node) { // their timeouts stand still
			a.Freeze()
			b.Freeze()
			s.Pass(time.Minute)
			a.Thaw()
			b.Thaw()
		}, 0, 0, true},
		"blocked and thawed": {func(s *p2ptest.Simulation, a, b *p2ptest.Node) {
			s.Block(a, b)
			a.Freeze()
			a.Thaw()
		}, 40 * time.Second, 1003, false},
		"frozen and unblocked": {func(s *p2ptest.Simulation, a, b *p2ptest.Node) {
			s.Block(a, b)
			a.Freeze()
			s.Unblock(a, b)
		}, 40 * time.Second, 1003, false},
		"killed and started": {func(_ *p2ptest.Simulation, a, _ *p2ptest.Node) {
			a.Kill()
			_ = a.Start()
		}, 0, wire.DisconnectGoingAway, true},
		"healed": {func(s *p2ptest.Simulation, a, b *p2ptest.Node) {
			s.Block(a, b)
			s.Heal()
		}, 0, 0, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p2ptest.Run(t, 1, func(s *p2ptest.Simulation) {
				alice, bob, seen := pair(s)
				s.Pass(30 * time.Second) // both have just pinged
				tt.fault(s, alice, bob)
				began := time.Now()
				for len(seen.downs()) == 0 && time.Since(began) < 10*time.Minute {
					s.Pass(time.Second)
				}
				downs := seen.downs()
				switch {
				case tt.code == 0 && len(downs) > 0:
					t.Errorf("the connection ended: %+v", downs)
				case tt.code != 0 && (len(downs) != 1 || downs[0].Code != tt.code):
					t.Errorf("ends %+v, want one with code %d", downs, tt.code)
				case tt.code != 0 && (time.Since(began)-time.Second-tt.after).Abs() > time.Second:
					t.Errorf("it ended after %v, want %v", time.Since(began), tt.after)
				}
				s.Pass(10 * time.Minute)
				if back := bob.GetConnection(alice.ID()) != nil; back != tt.back {
					t.Errorf("connected in the end: %v, want %v", back, tt.back)
				}
			})
		})
	}
}

// The seed determines the faults, and the name the identity.
func TestSeedDeterminesTheFaults(t *testing.T) {
	var id string
	run := func(seed uint64) (faults []string) {
		p2ptest.Run(t, seed, func(s *p2ptest.Simulation) {
			alice := s.Start("alice", p2ptest.Program{})
			if id != "" && alice.ID() != id {
				t.Errorf("alice's ID was %s and is %s", id, alice.ID())
			}
			id = alice.ID()
			s.Start("bob", p2ptest.Program{})
			for range 50 {
				faults = append(faults, s.Fault())
				s.Pass(time.Second)
			}
		})
		return faults
	}
	first, again, other := run(7), run(7), run(8)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Errorf("seed 7 drew\n%q, then\n%q; seed 8\n%q", first, again, other)
	}
	for _, kind := range []string{
		"are cut", "latency", "blocked", "unblocked", "frozen", "continues", "killed", "power", "stops", "starts",
	} {
		if !strings.Contains(strings.Join(first, "\n"), kind) {
			t.Errorf("seed 7 drew no %q", kind)
		}
	}
}

// recorder is a testing.TB that records errors.
type recorder struct {
	testing.TB
	errors, logs []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func (r *recorder) Failed() bool { return len(r.errors) > 0 }

// A connection that the test has left open is reported, with the seed and the faults.
func TestCloseReportsOpenConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		s := p2ptest.New(r, 5)
		alice, bob, _ := pair(s)
		if s.Pass(time.Second); bob.GetConnection(alice.ID()) == nil || !alice.Up() || alice.Host().Sockets() != 1 {
			t.Error("the nodes are not connected by one connection")
		}
		conn, err := s.Network().Attach("10.9.9.9").DialContext(t.Context(), "tcp", alice.Address())
		if err != nil {
			t.Fatal(err)
		}
		s.Fault()
		s.Close()
		if len(r.errors) != 1 || !strings.Contains(r.errors[0], "10.9.9.9") || len(r.logs) != 1 ||
			!strings.Contains(r.logs[0], "seed 5") {
			t.Errorf("errors %q, logs %q", r.errors, r.logs)
		}
		_ = conn.Close()
		s.Pass(time.Minute)
	})
}

// A node that is down answers with ErrStopped; a second Stop, Kill, Start, Freeze or Thaw has no effect.
func TestRepeatedChangesHaveNoEffect(t *testing.T) {
	p2ptest.Run(t, 1, func(s *p2ptest.Simulation) {
		alice, bob, _ := pair(s)
		alice.Kill()
		alice.Kill()
		alice.PowerOff()
		alice.Freeze()
		if err := alice.Stop(); err != nil || alice.Up() || alice.Frozen() {
			t.Errorf("after Kill: %v, up %v, frozen %v", err, alice.Up(), alice.Frozen())
		}
		if _, err := alice.Status(context.Background()); !errors.Is(err, supervisor.ErrStopped) {
			t.Errorf("a call on a killed node: %v", err)
		}
		for range 2 {
			if err := alice.Start(); err != nil {
				t.Fatal(err)
			}
			bob.Freeze()
		}
		bob.Thaw()
		bob.Thaw()
		if s.Pass(2 * time.Minute); bob.GetConnection(alice.ID()) == nil {
			t.Error("not connected again")
		}
	})
}
