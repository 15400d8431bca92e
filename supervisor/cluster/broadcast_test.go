package cluster_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func castResult(sent int, failed []supervisor.SendFailure) supervisor.MemberBroadcast {
	return supervisor.MemberBroadcast{BroadcastResult: supervisor.BroadcastResult{Sent: sent, Failed: failed}}
}

// broadcast calls Broadcast of a member and waits for the result.
func broadcast(t *testing.T, p *process, role crypto.NodeRole) (id string, sum supervisor.BroadcastResult) {
	t.Helper()
	msg, err := wire.NewMessage("news", "node", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan supervisor.BroadcastResult, 2)
	p.engine.Broadcast(msg, role, func(sum supervisor.BroadcastResult) { results <- sum })(supervisor.MemberBroadcast{})
	sum = <-results
	time.Sleep(3 * time.Second)
	if len(results) > 0 {
		t.Error("two results of one broadcast")
	}
	slices.SortFunc(sum.Failed, func(a, b supervisor.SendFailure) int { return cmp.Compare(a.Peer, b.Peer) })
	return msg.ID, sum
}

// Each other member gets a broadcast once. Counts and failures are merged.
func TestBroadcastReachesEachMemberOnce(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, _ *forwards) {
		var roles []crypto.NodeRole
		w.members["a"].broadcast = func(role crypto.NodeRole) supervisor.MemberBroadcast {
			roles = append(roles, role)
			return castResult(4, []supervisor.SendFailure{
				{Peer: "full", Err: supervisor.ErrQueueFull},
			})
		}
		w.members["b"].broadcast = func(role crypto.NodeRole) supervisor.MemberBroadcast {
			roles = append(roles, role)
			return castResult(2, []supervisor.SendFailure{
				{Peer: "large", Err: supervisor.ErrTooLarge},
			})
		}
		id, sum := broadcast(t, w.members["c"], "worker")
		if sum.Sent != 6 || sum.Refused != nil || len(sum.Failed) != 2 ||
			!errors.Is(sum.Failed[0].Err, supervisor.ErrQueueFull) || !errors.Is(sum.Failed[1].Err, supervisor.ErrTooLarge) {
			t.Errorf("result %+v", sum)
		}
		if !slices.Equal(roles, []crypto.NodeRole{"worker", "worker"}) {
			t.Errorf("roles %v", roles)
		}
		for name, want := range map[string][]string{"a": {id}, "b": {id}, "c": nil} {
			if got := w.members[name].broadcasts; !slices.Equal(got, want) {
				t.Errorf("%s got %v, want %v", name, got, want)
			}
		}
	})
}

// The peers of a member that was lost during a broadcast have failed, those of the other members have not.
func TestBroadcastNamesThePeersOfALostMember(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, _ *forwards) {
		w.members["b"].connect("other")
		time.Sleep(10 * time.Millisecond)
		w.kill("a")
		began := time.Now()
		_, sum := broadcast(t, w.members["c"], "")
		if took := time.Since(began) - 3*time.Second; took > 2*time.Second {
			t.Errorf("result after %v", took)
		}
		if sum.Sent != 1 || len(sum.Failed) != 1 || sum.Failed[0].Peer != "peer" ||
			!errors.Is(sum.Failed[0].Err, supervisor.ErrUnconfirmed) {
			t.Errorf("result %+v", sum)
		}
		began = time.Now() // the member is lost now
		if _, sum = broadcast(t, w.members["c"], ""); sum.Sent != 1 || len(sum.Failed) != 0 {
			t.Errorf("result after the loss %+v", sum)
		}
		if took := time.Since(began) - 3*time.Second; took > 10*time.Millisecond {
			t.Errorf("result after %v, although the member was known to be lost", took)
		}
	})
}

func TestBroadcastOfManyFailuresIsComplete(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, _ *forwards) {
		failed := make([]supervisor.SendFailure, 30_000) // more than one ack can carry
		for i, peer := range peerNames(len(failed)) {
			failed[i] = supervisor.SendFailure{Peer: peer, Err: supervisor.ErrQueueFull}
		}
		w.members["a"].broadcast = func(crypto.NodeRole) supervisor.MemberBroadcast {
			return castResult(0, failed)
		}
		if _, sum := broadcast(t, w.members["c"], ""); !slices.Equal(sum.Failed, failed) {
			t.Errorf("%d failures, want %d", len(sum.Failed), len(failed))
		}
	})
}

func TestBroadcastAloneEndsAtOnce(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, _ *forwards) {
		w.members["a"].engine.Leave()
		w.members["b"].engine.Leave()
		time.Sleep(10 * time.Millisecond)
		if _, sum := broadcast(t, w.members["c"], ""); sum.Sent != 0 || sum.Failed != nil || sum.Refused != nil {
			t.Errorf("result %+v", sum)
		}
	})
}
