package cluster_test

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// mesh is a node of several members, each a transport with the same key and an engine, and the peers of the node. It
// belongs to one bubble (testing/synctest).
//
//	member a ═╗ membus         peer1
//	member b ═╬══════   memnet peer2
//	member c ═╝                …
type mesh struct {
	t      *testing.T
	bus    *membus.Net
	net    *memnet.Network
	system *actor.ActorSystem
	hosts  map[string]*host // members and peers by name
	boots  uint64

	// Of the members that start from now on, see cluster.Options.
	maxConns    int
	refuseAlone bool
}

const (
	port     = 9091
	testType = wire.MessageType("test")
)

// inMesh runs a test on virtual time, with members of these names, separated by spaces.
func inMesh(t *testing.T, members string, run func(t *testing.T, m *mesh)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members(strings.Fields(members)...)
		run(t, m)
	})
}

func newMesh(t *testing.T, seed uint64) *mesh {
	m := &mesh{
		t: t, bus: membus.New(seed), net: memnet.New(seed), hosts: make(map[string]*host),
		system: actors.NewSystem(),
	}
	m.bus.Delay(time.Millisecond, 3*time.Millisecond)
	t.Cleanup(m.close)
	return m
}

// close stops all hosts. Each connection must be closed then.
func (m *mesh) close() {
	m.bus.HealAll()
	m.net.Heal()
	for _, name := range slices.Sorted(maps.Keys(m.hosts)) {
		m.hosts[name].stop()
	}
	m.pass(2 * time.Second) // the actor library's throttle of dead letters
	if leaks := m.net.Leaks(); len(leaks) > 0 {
		m.t.Errorf("%d connections are still open: %q", len(leaks), leaks)
	}
	m.system.Shutdown()
}

// pass lets virtual time pass, and waits until every goroutine of the bubble is blocked.
func (m *mesh) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func keysOf(name string) *crypto.NodeManager { return keysOfRole(name, crypto.RoleDual) }

func keysOfRole(name string, role crypto.NodeRole) *crypto.NodeManager {
	private := sha256.Sum256([]byte("mesh " + name))
	keys, err := crypto.NodeManagerFromPrivateKey(private[:], name, role, time.Unix(1e9, 0))
	if err != nil {
		panic(err)
	}
	return keys
}

// nodeID is the ID of the node that the members are.
func nodeID() string { return keysOf("node").Identity().ID }

// member starts a member. change (optional) changes its configuration.
func (m *mesh) member(name string, change ...func(*supervisor.TransportConfig)) *host {
	m.t.Helper()
	h := m.newMember(name)
	h.start(keysOf("node"), change, supervisor.WithCluster(h.engine))
	return h
}

// newMember makes the engine of a member for its next start.
func (m *mesh) newMember(name string) *host {
	h := m.host(name)
	m.boots++
	h.bus = m.bus.Bus(name)
	h.engine = cluster.New(h.bus, cluster.Options{
		Name: name, NodeID: nodeID(), Boot: m.boots, System: m.system, Log: slog.New(slog.DiscardHandler),
		MaxConns: m.maxConns, RefuseAlone: m.refuseAlone,
	})
	return h
}

// members starts members at once.
func (m *mesh) members(names ...string) {
	m.t.Helper()
	var starting sync.WaitGroup
	for _, name := range names {
		h := m.newMember(name)
		starting.Go(func() { h.start(keysOf("node"), nil, supervisor.WithCluster(h.engine)) })
	}
	starting.Wait()
}

// peer starts a peer that keeps connections to members. change (optional) changes its configuration.
func (m *mesh) peer(name string, to []string, change ...func(*supervisor.TransportConfig)) *host {
	m.t.Helper()
	h := m.host(name)
	dials := func(c *supervisor.TransportConfig) {
		for _, member := range to {
			c.Peers = append(c.Peers, m.host(member).address())
		}
	}
	h.start(keysOf(name), append(change, dials))
	return h
}

// host returns the host of a name.
func (m *mesh) host(name string) *host {
	if m.hosts[name] == nil {
		number := len(m.hosts) + 1
		m.hosts[name] = &host{
			mesh: m, name: name, ip: fmt.Sprintf("10.0.%d.%d", number>>8, number&0xff), book: supervisor.NewPeerRegistry(),
		}
	}
	return m.hosts[name]
}

// running returns the members that run, by name.
func (m *mesh) running() (list []*host) {
	for _, name := range slices.Sorted(maps.Keys(m.hosts)) {
		if h := m.hosts[name]; h.up && h.engine != nil {
			list = append(list, h)
		}
	}
	return list
}

// homes returns the members with a route to a peer, by name.
func (m *mesh) homes(peer string) (names []string) {
	for _, h := range m.running() {
		if h.GetConnection(peer) != nil {
			names = append(names, h.name)
		}
	}
	return names
}

// home returns the only home of a peer.
func (m *mesh) home(p *host) *host {
	m.t.Helper()
	names := m.homes(p.id())
	if len(names) != 1 {
		m.t.Fatalf("%s has the homes %q, want one", p.name, names)
	}
	return m.hosts[names[0]]
}

// checkEvents requires that the program of each running member knows a peer as connected if and only if the member is
// the home.
func (m *mesh) checkEvents(p *host) {
	m.t.Helper()
	homes := m.homes(p.id())
	for _, h := range m.running() {
		connected := false
		events := h.eventsOf(p.id())
		for _, e := range events {
			if e == connectedEvent[connected] {
				connected = !connected
			} else if e != "verified" && e != "moved" {
				m.t.Errorf("%s: event %q after %v in %q", h.name, e, connected, events)
			}
		}
		if want := slices.Contains(homes, h.name); connected != want {
			m.t.Errorf("%s knows %s as connected: %v, want %v: events %q", h.name, p.name, connected, want, events)
		}
	}
}

// connectedEvent is the next event of a peer that is or is not connected.
var connectedEvent = map[bool]string{false: "up", true: "down"}

// check requires that each peer that runs has one home, or none if it is in lonely, and that the directories of all
// members say so.
func (m *mesh) check(lonely ...string) {
	m.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(m.hosts)) {
		p := m.hosts[name]
		if p.engine != nil || p.Transport == nil {
			continue
		}
		want := ""
		homes := m.homes(p.id())
		if len(homes) > 0 {
			want = homes[0]
		}
		if expected := p.up && !slices.Contains(lonely, name); len(homes) > 1 || expected != (len(homes) == 1) {
			m.t.Errorf("%s (running: %v) has the homes %q", name, p.up, homes)
		}
		for _, h := range m.running() {
			if home, _ := h.engine.Home(p.id()); home != want {
				m.t.Errorf("directory of %s: %s at %q, want %q", h.name, name, home, want)
			}
		}
	}
}
