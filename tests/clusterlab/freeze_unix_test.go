//go:build unix

package clusterlab

import (
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestFrozenMemberReturns stops a member for five seconds. The others list it as lost; a peer that gave it up moves to
// another member and stays there, a patient one stays with the member; afterwards all members agree about both.
func TestFrozenMemberReturns(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	c.start("a")
	hasty := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"], "--peer", c.listen["b"],
		"--ping-interval", "400ms", "--pong-timeout", "400ms")
	patient := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"])
	c.awaitHomes(hasty.ID(), patient.ID())
	c.start("b", "c")
	c.awaitAll()
	a, mark := c.members["a"], c.members["a"].Mark()
	a.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	delete(c.members, "a")
	t.Logf("lost after %v", c.awaitStates("b", "a lost", "b alive", "c alive").Round(time.Millisecond))
	if homes, took := c.awaitHomes(hasty.ID()); homes[hasty.ID()] != "b" {
		t.Errorf("homes %v", homes)
	} else {
		t.Logf("the hasty peer was at b after %v", took.Round(time.Millisecond))
	}
	time.Sleep(time.Until(stopped.Add(5 * time.Second))) // the fault itself
	a.Signal(syscall.SIGCONT)
	c.members["a"] = a
	took := c.awaitAll()
	homes, agreed := c.awaitHomes(hasty.ID(), patient.ID())
	t.Logf("returned after %v, agreement %v later", took.Round(time.Millisecond), agreed.Round(time.Millisecond))
	if homes[hasty.ID()] != "b" || homes[patient.ID()] != "a" {
		t.Errorf("homes %v", homes)
	}
	a.AwaitAfter(mark, "peer_down", "peer", hasty.ID())
	c.beacon(hasty, "after").await()
	c.beacon(patient, "after").await()
}
