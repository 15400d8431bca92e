//go:build unix

package clusterlab

import (
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// batchFiller is the size of a payload of which a batch between members, 256 KiB at most, has one.
const batchFiller = 200 << 10

// TestStoppedMemberHoldsUpNoOther stops the home of a peer. Of many messages to that peer at once, those for which
// there is room are not confirmed, and the others are refused with queue_full. Messages to the peer of another member
// are sent meanwhile.
func TestStoppedMemberHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	c.start("a", "b", "c")
	slow := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"])
	other := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["b"])
	c.awaitAll()
	c.awaitHomes(slow.ID(), other.ID())
	sender, a := c.api("c"), c.members["a"]
	a.Signal(syscall.SIGSTOP)
	delete(c.members, "a")
	const callers = 40
	ended := make(chan outcome, callers)
	for range callers {
		go func() { ended <- sender.send(slow.ID(), "lost", batchFiller) }()
	}
	// The first refusal: now 16 batches are in flight and the next one is full.
	first := <-ended
	if first.code != "queue_full" {
		t.Errorf("the first send that ended: %+v", first)
	}
	passes := sender.send(other.ID(), "passes", batchFiller)
	if passes.code != "" {
		t.Errorf("send to the peer of another member: %+v", passes)
	}
	other.Await("message", "message.type", "passes")
	codes := map[string]int{first.code: 1}
	var longest time.Duration
	for range callers - 1 {
		o := <-ended
		codes[o.code]++
		longest = max(longest, o.took)
	}
	t.Logf("sends to the stopped member: %v, the last after %v; to another member after %v", codes, longest, passes.took)
	// In flight to a lost member: failed, not confirmed. Of the next batch, which was not sent: not_connected.
	sum := codes["queue_full"] + codes["failed"] + codes["not_connected"]
	if sum != callers || codes["failed"] < 16 {
		t.Errorf("%d sends ended as %v", callers, codes)
	}
	if passes.took > longest {
		t.Errorf("the message to another member took longer than those to the stopped one")
	}
	a.Signal(syscall.SIGCONT)
	c.members["a"] = a
	c.awaitAll()
	c.awaitHomes(slow.ID(), other.ID())
	c.beacon(slow, "after").await()
}
