package actors

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

func TestJudgeBindFollowsTable(t *testing.T) {
	own, peer := crypto.NewBind(crypto.Initiator, []byte("1"), []byte("2")), crypto.NewBind(crypto.Responder,
		[]byte("1"), []byte("2"))
	elsewhere := crypto.NewBind(crypto.Responder, []byte("1"), []byte("3"))
	for name, c := range map[string]struct {
		bind []byte
		want mark
	}{
		"the peer's":            {peer[:], markBound},
		"ours":                  {own[:], markReflected},
		"of another connection": {elsewhere[:], markForeign},
		"none":                  {nil, markAbsent},
		"no string":             {[]byte{}, markForeign},
		"one byte less":         {peer[:43], markForeign},
		"one byte more":         {append(peer[:], 'A'), markForeign},
		"one bit changed":       {append([]byte{peer[0] ^ 1}, peer[1:]...), markForeign},
	} {
		if got := judgeBind(c.bind, own[:], &peer); got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
	}
}

func TestMustBindFollowsTheFeatures(t *testing.T) {
	for feature, want := range map[string]bool{
		"single-connection": false, "unheard-of": false, "": false, "rate": false, "agents/1": false, "sessions/1": false,
		"rate/100/50": true, "rate/": true, "agent/x/1.0": true, "confirm": true, "session/1": true,
	} {
		if got := mustBind([]string{"unheard-of", feature}); got != want {
			t.Errorf("%q: %v, want %v", feature, got, want)
		}
	}
	if mustBind(nil) {
		t.Error("a peer that announces nothing must bind")
	}
}

// An ack proves a peer only if nothing else could: no session, and no feature that obliges the peer to bind.
func TestAckStrengthFollowsTheAck(t *testing.T) {
	for name, c := range map[string]struct {
		ack  claim
		want Strength
	}{
		"a deployed node":              {claim{}, Unmarked},
		"a release before binds":       {claim{features: []string{"single-connection"}}, Unmarked},
		"a release with binds":         {claim{features: []string{"single-connection", modern}}, Claimed},
		"a session":                    {claim{features: []string{"session/1"}, terms: &sessionTerms{}}, Claimed},
		"a session, without a feature": {claim{terms: &sessionTerms{}}, Claimed},
	} {
		if got := ackStrength(c.ack); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestStrengthNamesAndVerified(t *testing.T) {
	for s, want := range map[Strength]struct {
		name     string
		verified bool
	}{Claimed: {"claimed", false}, Unmarked: {"unmarked", true}, Bound: {"bound", true}, Session: {"session", true}} {
		if s.String() != want.name || s.Verified() != want.verified {
			t.Errorf("%d: %q, verified %v; want %+v", s, s, s.Verified(), want)
		}
	}
}

func TestProofBeginSetsDeadlineAndQuiet(t *testing.T) {
	const now = 1000 * time.Second
	limits := &Limits{PingInterval: 30 * time.Second, PongTimeout: 10 * time.Second}
	for name, c := range map[string]struct {
		announced, known bool
		left             time.Duration
		quiet            bool
	}{
		"announces nothing":                  {false, false, 40 * time.Second, false},
		"announces nothing, known to do so":  {false, true, 40 * time.Second, true},
		"announces a feature":                {true, false, 7 * time.Second, true},
		"announces a feature, known as such": {true, true, 7 * time.Second, true},
	} {
		p := proof{announced: c.announced}
		p.begin(now, c.known, 7*time.Second, limits)
		if p.quiet != c.quiet || p.due-now != c.left {
			t.Errorf("%s: quiet %v, %v left; want %v and %v", name, p.quiet, p.due-now, c.quiet, c.left)
		}
	}
}
