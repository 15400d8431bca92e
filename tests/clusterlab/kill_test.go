package clusterlab

import (
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// awayLimit is the longest time for which a peer may be unreachable after the kill of its member.
const awayLimit = 10 * time.Second

// kills returns the number of kills of a row: few in CI.
func kills() int {
	if *lab {
		return 20
	}
	return 3
}

// TestPeerWithTwoAddressesOutlivesKills kills the home of a peer that knows two members, again and again. Every member
// that is left reaches the peer within the limit.
func TestPeerWithTwoAddressesOutlivesKills(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	c.start("a", "b", "c")
	c.killHome("--peer", c.listen["a"], "--peer", c.listen["b"])
}

// TestPeerBehindABalancerOutlivesKills does the same with a peer that knows only the address of a TCP balancer.
func TestPeerBehindABalancerOutlivesKills(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	c.start("a", "b", "c")
	front := newBalancer(t, c.listen["a"], c.listen["b"], c.listen["c"])
	c.killHome("--peer", front.address)
}

// killHome kills the home of a peer with these flags, again and again. Each kill has a peer of its own: the pauses of a
// peer's dials grow with each connection that ends within a minute.
func (c *cluster) killHome(flags ...string) {
	c.t.Helper()
	var away []time.Duration
	for i := range kills() {
		c.awaitAll()
		peer := nodetest.StartProcess(c.t, nodetest.ProcessOptions{}, flags...)
		homes, _ := c.awaitHomes(peer.ID())
		home := homes[peer.ID()]
		killed, mark := time.Now(), peer.Mark()
		c.kill(home)
		c.beacon(peer, fmt.Sprint("kill", i)).await()
		took := time.Since(killed)
		c.t.Logf("kill %d of %s: the peer is reached from %q after %v", i, home, c.running(), took.Round(time.Millisecond))
		if away = append(away, took); took > awayLimit {
			c.t.Errorf("kill %d: the peer was away for %v:\n%s", i, took, dials(peer, mark))
		}
		peer.Stop()
		c.start(home)
	}
	c.t.Logf("away: %s", spread(away))
}

// dials returns the events of a peer that describe its connections.
func dials(peer *nodetest.Process, mark int) (text string) {
	for _, e := range peer.All()[mark:] {
		if e.Kind != "message" {
			text += e.Line + "\n"
		}
	}
	return text
}
