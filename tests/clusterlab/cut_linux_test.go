package clusterlab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// healLimit is the time in which members agree again after a cut.
const healLimit = 5 * time.Second

// lan is a network of one namespace for each member and one for the peers, joined by a bridge: 10.97.0.1 and so on,
// and 10.97.0.254 for the peers.
type lan struct {
	t      *testing.T
	spaces map[string]string // by member; "peers" for the peers
	ip     map[string]string
}

func command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
}

func newLAN(t *testing.T, names ...string) *lan {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces are made by root only")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install iproute2 iptables", tool)
		}
	}
	l := &lan{t: t, spaces: map[string]string{}, ip: map[string]string{}}
	for _, name := range append([]string{"peers"}, names...) {
		l.spaces[name] = fmt.Sprintf("lab%d-%s", os.Getpid(), name)
		if out, err := exec.Command("ip", "netns", "add", l.spaces[name]).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: %v: %s", err, out)
		}
		t.Cleanup(func() { command(t, "ip", "netns", "del", l.spaces[name]) })
		l.in(name, "ip", "link", "set", "lo", "up")
	}
	l.in("peers", "ip", "link", "add", "br0", "type", "bridge")
	l.in("peers", "ip", "addr", "add", "10.97.0.254/24", "dev", "br0")
	l.in("peers", "ip", "link", "set", "br0", "up")
	for i, name := range names {
		l.ip[name] = fmt.Sprintf("10.97.0.%d", i+1)
		l.in("peers", "ip", "link", "add", "v"+name, "type", "veth", "peer", "name", "eth0", "netns", l.spaces[name])
		l.in("peers", "ip", "link", "set", "v"+name, "master", "br0", "up")
		l.in(name, "ip", "addr", "add", l.ip[name]+"/24", "dev", "eth0")
		l.in(name, "ip", "link", "set", "eth0", "up")
	}
	return l
}

// in runs a command in the namespace of a member.
func (l *lan) in(name string, args ...string) {
	l.t.Helper()
	command(l.t, append(l.enter(name), args...)...)
}

// enter returns the command that executes another in a namespace.
func (l *lan) enter(name string) []string { return []string{"ip", "netns", "exec", l.spaces[name]} }

// drop drops, in silence, each packet from one member to another.
func (l *lan) drop(from, to string) {
	l.in(to, "iptables", "-A", "INPUT", "-s", l.ip[from], "-j", "DROP")
}

// heal ends all cuts.
func (l *lan) heal() {
	for name := range l.ip {
		l.in(name, "iptables", "-F")
	}
}

// TestSilentCutsHeal cuts members off from each other, while the peers reach all of them. Each side serves its own
// peers and new ones. After the cut each peer has one connection and all members agree, within the limit.
func TestSilentCutsHeal(t *testing.T) {
	inLab(t)
	for name, cut := range map[string][]string{
		"pair": {"ab", "ba"}, "star": {"ab", "ba", "ac", "ca"}, "asymmetric": {"ab"}, "asymmetric back": {"ba"},
		"asymmetric star": {"ab", "ac"},
	} {
		t.Run(name, func(t *testing.T) { cutAndHeal(t, cut) })
	}
}

// newCluster starts the members a, b and c, each in its namespace.
func (l *lan) newCluster() *cluster {
	l.t.Helper()
	c := newCluster(l.t, "a", "b", "c")
	for _, name := range c.names {
		c.under[name], c.listen[name], c.joins[name] = l.enter(name), l.ip[name]+":9091", l.ip[name]+":9093"
	}
	c.start("a", "b", "c")
	return c
}

// run starts a peer.
func (l *lan) run(args ...string) *nodetest.Process {
	l.t.Helper()
	return nodetest.StartProcess(l.t, nodetest.ProcessOptions{Under: l.enter("peers")}, args...)
}

func cutAndHeal(t *testing.T, cut []string) {
	l := newLAN(t, "a", "b", "c")
	c := l.newCluster()
	run := l.run
	pa, pb := run("--peer", c.listen["a"]), run("--peer", c.listen["b"])
	c.awaitAll()
	c.awaitHomes(pa.ID(), pb.ID())
	for _, pair := range cut {
		l.drop(pair[:1], pair[1:])
	}
	began := time.Now()
	c.await("a cut", func() string {
		if states := strings.Join(append(c.states("a"), c.states("b")...), " "); !strings.Contains(states, "lost") {
			return states
		}
		return ""
	})
	t.Logf("noticed after %v", time.Since(began).Round(time.Millisecond))
	// A new peer on each side, and one with a connection to both.
	na, nb := run("--peer", c.listen["a"]), run("--peer", c.listen["b"])
	both := run("--peer", c.listen["a"])
	c.members["a"].Await("peer_verified", "peer", na.ID())
	c.members["b"].Await("peer_verified", "peer", nb.ID())
	c.members["a"].Await("peer_verified", "peer", both.ID())
	second := both.Run("connect", c.listen["b"])
	t.Logf("second connection across the cut: exit code %d; homes %v", second.Code, c.homesOf()[both.ID()])
	for at, peers := range map[string][]*nodetest.Process{"a": {pa, na}, "b": {pb, nb}} {
		for _, p := range peers {
			if r := c.members[at].Run("send", p.ID(), "local"); r.Code != 0 {
				t.Errorf("%s cannot reach its own peer: %s", at, r.Stderr)
			}
		}
	}
	l.heal()
	healed := time.Now()
	c.awaitAll()
	together := time.Since(healed)
	all := []*nodetest.Process{pa, pb, na, nb, both}
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID())
	}
	homes, _ := c.awaitHomes(ids...)
	took := time.Since(healed)
	t.Logf("together %v, one home of each peer %v after healing: %v",
		together.Round(time.Millisecond), took.Round(time.Millisecond), homes)
	if took > healLimit {
		t.Errorf("agreed after %v, want %v at most", took, healLimit)
	}
	for _, p := range all {
		c.beacon(p, "healed").await()
	}
}
