package toxiproxy

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// network is two network namespaces with a cable in between: 10.99.0.1 and 10.99.0.2.
type network struct {
	t    *testing.T
	name [2]string
}

// networks counts them, for their names.
var networks atomic.Int32

// command runs a command of the system to its end.
func command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces are made by root only")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install iproute2 iptables", tool)
		}
	}
	n := &network{t: t}
	number := networks.Add(1)
	for i := range n.name {
		n.name[i] = fmt.Sprintf("p2p-%d-%d-%d", os.Getpid(), number, i)
		if out, err := exec.Command("ip", "netns", "add", n.name[i]).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: %v: %s", err, out)
		}
		t.Cleanup(func() { command(t, "ip", "netns", "del", n.name[i]) })
	}
	ends := [2]string{fmt.Sprintf("a%d-%d", os.Getpid(), number), fmt.Sprintf("b%d-%d", os.Getpid(), number)}
	command(t, "ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
	for i, end := range ends {
		command(t, "ip", "link", "set", end, "netns", n.name[i])
		n.in(i, "ip", "addr", "add", fmt.Sprintf("10.99.0.%d/24", i+1), "dev", end)
		n.in(i, "ip", "link", "set", end, "up")
	}
	return n
}

// in runs a command inside one of the namespaces.
func (n *network) in(side int, args ...string) {
	n.t.Helper()
	command(n.t, append([]string{"ip", "netns", "exec", n.name[side]}, args...)...)
}

// run runs a node inside a namespace until the test ends.
func (n *network) run(side int, args ...string) *nodetest.Process {
	n.t.Helper()
	under := nodetest.ProcessOptions{Under: []string{"ip", "netns", "exec", n.name[side]}}
	return nodetest.StartProcess(n.t, under, append([]string{
		"--ping-interval", "400ms", "--pong-timeout", "400ms", "--handshake-timeout", "1s",
	}, args...)...)
}

// awaitBack waits until the peer is connected again, and returns the sum of the pauses that the node announced until
// then.
func awaitBack(t *testing.T, p *nodetest.Process, mark int) (pauses time.Duration) {
	t.Helper()
	p.AwaitAfter(mark, "peer_up")
	for _, e := range p.All()[mark:] {
		switch e.Kind {
		case "peer_up":
			return pauses
		case "dial_failed":
			pauses += pause(t, e)
		}
	}
	return pauses
}

// TestSplitIsNoticedAndHeals drops packets between two nodes, refuses them, or drops those of one direction only. Both
// notice within the ping interval and the pong timeout, and are connected again within the pauses of the backoff after
// healing.
func TestSplitIsNoticedAndHeals(t *testing.T) {
	for name, rules := range map[string][]string{
		"both ways": {"INPUT -p tcp -j DROP", "OUTPUT -p tcp -j DROP"},
		"one way":   {"OUTPUT -p tcp -j DROP"},
		"the other": {"INPUT -p tcp -j DROP"},
		"refused":   {"INPUT -p tcp -j REJECT --reject-with tcp-reset"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			splitAndHeal(t, rules)
		})
	}
}

func splitAndHeal(t *testing.T, rules []string) {
	const slack = 2 * time.Second // for a busy machine
	const silence, handshake = 800 * time.Millisecond, time.Second
	n := newNetwork(t)
	a := n.run(0, "--listen", "10.99.0.1:9091")
	b := n.run(1, "--listen", "", "--peer", "10.99.0.1:9091")
	a.Next("peer_verified")
	b.Next("peer_up")
	for _, rule := range rules {
		n.in(0, append([]string{"iptables", "-A"}, strings.Fields(rule)...)...)
	}
	began, mark := time.Now(), b.Mark()
	b.Next("peer_down")
	a.Next("peer_down")
	noticed := time.Since(began)
	b.Next("dial_failed")
	n.in(0, "iptables", "-F")
	healed := time.Now()
	pauses := awaitBack(t, b, mark)
	a.Next("peer_verified")
	back := time.Since(healed)
	t.Logf("noticed after %v, back %v after healing, pauses %v", noticed, back, pauses)
	if noticed > silence+slack {
		t.Errorf("noticed after %v, want %v at most", noticed, silence+slack)
	}
	if back > pauses+handshake+slack {
		t.Errorf("back %v after healing, want %v at most", back, pauses+handshake+slack)
	}
}

// pause returns the pause before the next dial of a dial_failed event.
func pause(t *testing.T, e nodetest.Event) time.Duration {
	t.Helper()
	seconds := e.Num("retryIn")
	if seconds < 0 {
		t.Fatalf("no retryIn: %s", e.Line)
	}
	return time.Duration(seconds * float64(time.Second))
}
