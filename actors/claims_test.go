package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// claimsRig is a connection whose peer has sent its proof, three messages, and then closed the socket. The registry has
// not answered.
func claimsRig(t *testing.T) *rig {
	t.Helper()
	r, p := unansweredRig(t)
	r.node.Claims = true
	p.shake()
	for range 3 {
		p.send("stats", nil)
	}
	synctest.Wait()
	p.ws.CloseNow()
	time.Sleep(5 * time.Second)
	if n := len(r.delivered("stats")); n != 0 {
		t.Errorf("%d messages delivered before the answer", n)
	}
	if n := len(reportsOf[*Ended](r)); n != 0 {
		t.Error("the end was reported before the answer")
	}
	return r
}

func TestEndWaitsForTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := claimsRig(t)
		r.tell(&RoutePublished{})
		if n := len(r.delivered("stats")); n != 3 {
			t.Errorf("%d messages delivered, want 3", n)
		}
		r.ended()
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 0})
	})
}

func TestRefusedClaimDeliversNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := claimsRig(t)
		r.tell(&CloseGracefully{End: End{Code: wire.DisconnectNormal, Reason: ReasonDuplicate}})
		if n := len(r.delivered("stats")); n != 0 {
			t.Errorf("%d messages delivered, want none", n)
		}
		r.ended()
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 3})
	})
}

func TestStopDropsMessagesThatAwaitAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := claimsRig(t)
		r.node.System.Root.Stop(r.slot.handle.pid)
		if n := len(r.delivered("stats")); n != 0 {
			t.Errorf("%d messages delivered, want none", n)
		}
	})
}
