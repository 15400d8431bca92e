package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// calm is longer than the silence limit of a connection, the longest pause between dials, and a handshake.
const calm = 3 * time.Minute

// Random cuts, losses, kills, joins and connections of whole members and peers: after calm all directories are equal,
// and each peer has one home and one connection.
func TestRandomFaultsOfMembersEndInOneHome(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*meshSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runMesh(t, seed) })
		})
	}
}

func runMesh(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	m := newMesh(t, seed)
	w := &meshFaults{mesh: m, random: random, members: []string{"a", "b", "c", "d"}[:3+random.IntN(2)]}
	m.bus.Delay(0, time.Duration(1+random.IntN(50))*time.Millisecond)
	m.members(w.members...)
	for i := range 5 {
		w.peers = append(w.peers, fmt.Sprintf("peer%d", i))
		w.startPeer(w.peers[i])
	}
	for range 60 {
		w.log = append(w.log, fmt.Sprintf("%v: %s", time.Since(w.began()), w.step()))
		m.pass(time.Duration(random.IntN(8000)) * time.Millisecond)
	}
	m.bus.HealAll()
	m.bus.Lose(0)
	m.net.Heal()
	for _, name := range append(slices.Clone(w.members), w.peers...) {
		w.restart(name)
	}
	m.pass(calm)
	m.check()
	for _, name := range w.peers {
		p := m.hosts[name]
		m.checkEvents(p)
		links := 0
		for _, member := range w.members {
			links += len(m.net.Links(p.ip, m.hosts[member].ip))
		}
		if links != 1 {
			t.Errorf("%s has %d connections to the members, want 1", name, links)
		}
	}
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, joined(w.log))
	}
}

func joined(lines []string) (text string) {
	for _, line := range lines {
		text += line + "\n"
	}
	return text
}

// meshFaults draws the faults of a mesh.
type meshFaults struct {
	mesh    *mesh
	random  *rand.Rand
	members []string
	peers   []string
	log     []string
	start   time.Time
}

func (w *meshFaults) began() time.Time {
	if w.start.IsZero() {
		w.start = time.Now()
	}
	return w.start
}

func (w *meshFaults) some(of []string) *host { return w.mesh.hosts[of[w.random.IntN(len(of))]] }

// startPeer starts a peer that keeps connections to all members, with sessions or without.
func (w *meshFaults) startPeer(name string) {
	off := w.random.IntN(4) == 0
	w.mesh.peer(name, w.members, func(c *supervisor.TransportConfig) {
		if off {
			c.Session = supervisor.SessionOff
		}
	})
}

// restart starts a host again if it is down.
func (w *meshFaults) restart(name string) {
	switch h := w.mesh.hosts[name]; {
	case h.up:
	case h.engine != nil:
		w.mesh.member(name)
	default:
		w.startPeer(name)
	}
}

// step does one random thing and describes it.
func (w *meshFaults) step() string {
	m, a, b, p := w.mesh, w.some(w.members), w.some(w.members), w.some(w.peers)
	switch n := w.random.IntN(100); {
	case n < 15:
		w.restart(a.name)
		return a.name + " starts"
	case n < 25 && a.up && len(m.running()) > 1:
		power := w.random.IntN(2) == 0
		a.kill(power)
		return fmt.Sprintf("%s is killed, power loss %v", a.name, power)
	case n < 30 && a.up && len(m.running()) > 1:
		a.stop()
		return a.name + " stops"
	case n < 40:
		cut := a != b && w.random.IntN(2) == 0
		m.bus.Cut(a.name, b.name, cut)
		return fmt.Sprintf("bus %s to %s cut %v", a.name, b.name, cut)
	case n < 45:
		m.bus.Lose(float64(w.random.IntN(3)) / 10)
		return "bus loses messages"
	case n < 48:
		m.bus.HealAll()
		return "bus heals"
	case n < 60:
		m.net.Stall(p.ip, a.ip)
		if w.random.IntN(2) == 0 {
			m.net.Stall(a.ip, p.ip)
		}
		return fmt.Sprintf("%s and %s stall", p.name, a.name)
	case n < 70:
		m.net.Heal()
		return "network heals"
	default:
		return w.stepPeer(a, p)
	}
}

// stepPeer does one random thing with a peer.
func (w *meshFaults) stepPeer(a, p *host) string {
	switch n := w.random.IntN(30); {
	case n < 10:
		for _, link := range w.mesh.net.Links(p.ip, a.ip) {
			if w.random.IntN(2) == 0 {
				link.Cut()
			} else {
				link.Vanish([]string{p.ip, a.ip}[w.random.IntN(2)])
			}
		}
		return fmt.Sprintf("links of %s and %s end", p.name, a.name)
	case n < 15 && p.up:
		p.kill(w.random.IntN(2) == 0)
		return p.name + " is killed"
	case n < 20:
		w.restart(p.name)
		return p.name + " starts"
	case n < 25 && a.up && p.up:
		w.connect(a, p)
		return fmt.Sprintf("%s dials %s", a.name, p.name)
	case a.up && p.up:
		w.connect(p, a)
		return fmt.Sprintf("%s dials %s", p.name, a.name)
	default:
		return "nothing"
	}
}

func (w *meshFaults) connect(from, to *host) {
	go func() {
		_, _ = from.Connect(&supervisor.Peer{Address: to.address()}) // may fail: it is a fault
	}()
}
