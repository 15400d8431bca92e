package supervisor

import (
	"context"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// TestContestThatPanicsIsRefused lets the registry panic at each step of a contest: the claim of the other member is
// decided once.
func TestContestThatPanicsIsRefused(t *testing.T) {
	for name, r := range map[string]*registry{
		"ranking": {}, // no book
		"judging": {book: NewPeerRegistry(), node: &actors.Node{Keys: newKeys(t, "node")}},
	} {
		r.cfg = &TransportConfig{}
		state := &peerState{claim: &claim{state: claimHeld}} // no route
		r.states = map[string]*peerState{"peer": state}
		var verdicts []ClaimVerdict
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			r.onClaimContested(nil, &claimContested{
				claim: Claim{Peer: "peer"}, decide: func(v ClaimVerdict) { verdicts = append(verdicts, v) },
			})
		}()
		if len(verdicts) != 1 || verdicts[0].Granted || state.claim.contest != nil {
			t.Errorf("%s: verdicts %+v, contest %v", name, verdicts, state.claim.contest)
		}
	}
}

// TestConversationsEndWithStop requires that close waits for each conversation and that none begins later.
func TestConversationsEndWithStop(t *testing.T) {
	var c conversations
	waits, ended := make(chan struct{}), false
	if _, begun := c.begin(func(ctx context.Context) {
		close(waits)
		<-ctx.Done()
		ended = true
	}); !begun {
		t.Fatal("it does not begin")
	}
	<-waits
	if c.close(); !ended {
		t.Error("close returned before the end of a conversation")
	}
	if cancel, begun := c.begin(func(context.Context) { t.Error("it runs after close") }); begun || cancel != nil {
		t.Error("a conversation begins after close")
	}
}
