package supervisor

import (
	"slices"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// claimLog is a cluster that only notes calls. The home of "moved" is another member.
type claimLog struct {
	Cluster
	claims, awaits, releases []string
}

func (*claimLog) Name() string                               { return "here" }
func (*claimLog) Home(peer string) (string, bool)            { return "there", peer == "moved" }
func (c *claimLog) Claim(claim Claim, _ func(ClaimVerdict))  { c.claims = append(c.claims, claim.Peer) }
func (c *claimLog) AwaitFree(peer string, _ func())          { c.awaits = append(c.awaits, peer) }
func (c *claimLog) Release(peer string, _ uint64, _ float64) { c.releases = append(c.releases, peer) }

// TestReconcileRepeatsLostVerdicts loses the verdict about one peer, the reports that another one is free and that a
// third one was taken, and the judgement of a claim for a fourth one, as a panic of the registry does.
func TestReconcileRepeatsLostVerdicts(t *testing.T) {
	log := &claimLog{}
	r := &registry{
		cluster: log, routes: newRouteTable(), node: &actors.Node{Counters: &actors.Counters{}}, cfg: &TransportConfig{},
		transport: &Transport{},
	}
	route := &slot{conn: &PeerConnection{peer: Peer{}}}
	r.states = map[string]*peerState{
		"pending": {route: route}, "elsewhere": {route: route}, "held": {route: route}, "none": {claim: &claim{}},
		"moved": {route: route}, "contested": {route: route},
	}
	for id, state := range map[string]claimState{
		"pending": claimPending, "elsewhere": claimElsewhere, "held": claimHeld, "moved": claimHeld, "contested": claimHeld,
	} {
		r.states[id].claim = &claim{by: route}
		r.setClaim(id, r.states[id].claim, state, "")
	}
	var verdicts []ClaimVerdict
	r.states["contested"].claim.contest = &contest{decide: func(v ClaimVerdict) { verdicts = append(verdicts, v) }}
	generation := r.states["pending"].claim.generation
	r.reconcileClaims(nil)
	slices.Sort(log.awaits)
	if !slices.Equal(log.claims, []string{"pending"}) || !slices.Equal(log.awaits, []string{"elsewhere", "moved"}) {
		t.Errorf("claims %q, awaited %q", log.claims, log.awaits)
	}
	if now := r.states["pending"].claim; now.state != claimPending || now.generation == generation {
		t.Errorf("the claim is %+v", now)
	}
	if now := r.states["moved"].claim; now.state != claimElsewhere || now.home != "there" ||
		!slices.Equal(log.releases, []string{"moved"}) {
		t.Errorf("released %q, the claim of the moved peer is %+v", log.releases, now)
	}
	if want := []ClaimVerdict{{Home: "here"}}; !slices.Equal(verdicts, want) {
		t.Errorf("verdicts %+v, want %+v", verdicts, want)
	}
}
