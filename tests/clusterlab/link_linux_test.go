package clusterlab

import (
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// sendsEndBy is the limit of a send, by a timer of the sender's node. Sends to the peer of a member whose machine is
// gone end in 2 s.
const sendsEndBy = 2*time.Second + 200*time.Millisecond

// TestMemberWithoutALink takes the network of a member away: no reset arrives from there. Sends to its peer fail within
// two seconds, later ones at once; the peer moves after its own limit of silence; with the network the member returns.
func TestMemberWithoutALink(t *testing.T) {
	l := newLAN(t, "a", "b", "c")
	c := l.newCluster()
	peer := l.run("--peer", c.listen["c"], "--peer", c.listen["b"], "--ping-interval", "2s", "--pong-timeout", "2s")
	patient := l.run("--peer", c.listen["c"])
	c.awaitAll()
	homes, _ := c.awaitHomes(peer.ID(), patient.ID())
	home := homes[peer.ID()]
	if home != "c" { // the link of c goes down: bring the peer there
		if r := c.members["b"].Run("disconnect", peer.ID()); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		c.await("the peer at c", func() string { return strings.Trim(strings.Join(c.homesOf()[peer.ID()], " "), "c") })
	}
	sender, mark := c.api("a"), peer.Mark()
	sender.timeout = sendsEndBy
	l.in("peers", "ip", "link", "set", "vc", "down")
	began := time.Now()
	var longest time.Duration
	sends, codes := 0, make(map[string]int)
	// The books of a and b do not have the peer: they have not been its home.
	for o := (outcome{}); o.code != "not_connected" && o.code != "unknown_peer"; sends++ {
		o = sender.send(patient.ID(), "gone", 10)
		codes[o.code]++
		if longest = max(longest, o.took); sends > 0 && time.Since(began) > patience {
			t.Fatalf("sends still end with %v", codes)
		}
	}
	t.Logf("%d sends: %v, the longest %v; refused at once %v after the loss", sends, codes, longest, time.Since(began))
	if codes["failed"] != sends-1 {
		t.Errorf("%d sends ended as %v, want failed and one refusal", sends, codes)
	}
	unreachable := c.members["c"]
	delete(c.members, "c")
	c.awaitStates("a", "a alive", "b alive", "c lost")
	homes, _ = c.awaitHomes(peer.ID())
	t.Logf("the peer is at %s %v after the loss", homes[peer.ID()], time.Since(began).Round(time.Millisecond))
	peer.AwaitAfter(mark, "peer_down")
	l.in("peers", "ip", "link", "set", "vc", "up")
	c.members["c"] = unreachable
	back := time.Now()
	c.awaitAll()
	homes, _ = c.awaitHomes(peer.ID(), patient.ID())
	took := time.Since(back)
	t.Logf("agreed %v after the return: %v", took.Round(time.Millisecond), homes)
	for _, p := range []*nodetest.Process{peer, patient} {
		c.beacon(p, "returned").await()
	}
}

// TestThrottledMemberHoldsUpNoOther gives a member a link of 4 Mbit/s. Messages to its peer arrive as fast as the link
// permits, and further ones are refused with queue_full; it stays alive. Messages to another peer are sent meanwhile.
func TestThrottledMemberHoldsUpNoOther(t *testing.T) {
	l := newLAN(t, "a", "b", "c")
	c := l.newCluster()
	slow, other := l.run("--peer", c.listen["b"]), l.run("--peer", c.listen["c"])
	c.awaitAll()
	c.awaitHomes(slow.ID(), other.ID())
	for space, device := range map[string]string{"peers": "vb", "b": "eth0"} {
		l.in(space, "tc", "qdisc", "add", "dev", device, "root", "tbf",
			"rate", "4mbit", "burst", "32kb", "latency", "2s")
	}
	sender := c.api("a")
	const callers = 60
	ended := make(chan outcome, callers)
	for range callers {
		go func() { ended <- sender.send(slow.ID(), "slow", batchFiller) }()
	}
	var times []time.Duration
	const passing = 20
	for range passing {
		o := sender.send(other.ID(), "passes", 100)
		if times = append(times, o.took); o.code != "" {
			t.Errorf("send to the peer of another member: %+v", o)
		}
	}
	other.AwaitCount(passing, "message", "message.type", "passes")
	codes := make(map[string]int)
	for range callers {
		codes[(<-ended).code]++
	}
	t.Logf("to the throttled member: %v; to another one: %s", codes, spread(times))
	if codes["queue_full"] == 0 || codes[""]+codes["queue_full"]+codes["failed"]+codes["not_connected"] != callers {
		t.Errorf("%d sends ended as %v", callers, codes)
	}
	for space, device := range map[string]string{"peers": "vb", "b": "eth0"} {
		l.in(space, "tc", "qdisc", "del", "dev", device, "root")
	}
	c.awaitAll()
	c.awaitHomes(slow.ID(), other.ID())
	c.beacon(slow, "after").await()
	arrived := slow.Count("message", "message.type", "slow")
	if least, most := codes[""], codes[""]+codes["failed"]; arrived < least || arrived > most {
		t.Errorf("%d messages arrived, want %d to %d", arrived, least, most)
	}
}
