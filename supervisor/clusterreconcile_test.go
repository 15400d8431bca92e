package supervisor

import (
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// claimLog is a cluster that only notes calls.
type claimLog struct {
	Cluster
	claims, awaits []string
}

func (c *claimLog) Home(string) (string, bool)               { return "", false }
func (c *claimLog) Claim(claim Claim, _ func(ClaimVerdict))  { c.claims = append(c.claims, claim.Peer) }
func (c *claimLog) AwaitFree(peer string, _ func())          { c.awaits = append(c.awaits, peer) }
func (c *claimLog) Release(peer string, _ uint64, _ float64) { panic("release of " + peer) }

// TestReconcileRepeatsLostVerdicts loses the verdict about one peer, and the report that another one is free, as a
// panic of the registry does.
func TestReconcileRepeatsLostVerdicts(t *testing.T) {
	log := &claimLog{}
	r := &registry{
		cluster: log, routes: newRouteTable(), node: &actors.Node{Counters: &actors.Counters{}}, cfg: &TransportConfig{},
	}
	route := &slot{conn: &PeerConnection{}}
	r.states = map[string]*peerState{
		"pending": {route: route}, "elsewhere": {route: route}, "held": {route: route}, "none": {claim: &claim{}},
	}
	for id, state := range map[string]claimState{
		"pending": claimPending, "elsewhere": claimElsewhere, "held": claimHeld,
	} {
		r.states[id].claim = &claim{by: route}
		r.setClaim(id, r.states[id].claim, state, "")
	}
	generation := r.states["pending"].claim.generation
	r.reconcileClaims(nil)
	if len(log.claims) != 1 || log.claims[0] != "pending" || len(log.awaits) != 1 || log.awaits[0] != "elsewhere" {
		t.Errorf("claims %q, awaited %q", log.claims, log.awaits)
	}
	if now := r.states["pending"].claim; now.state != claimPending || now.generation == generation {
		t.Errorf("the claim is %+v", now)
	}
}
