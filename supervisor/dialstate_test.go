package supervisor

import "testing"

// TestDialTargetStepsAsDrawn tests each arrow of the drawing at dialState.
func TestDialTargetStepsAsDrawn(t *testing.T) {
	kept, callers := dialFacts{kept: true}, dialFacts{callers: true}
	for _, tt := range []struct {
		name   string
		from   dialState
		event  dialEvent
		facts  dialFacts
		want   dialState
		action dialAction
	}{
		{"configured peer", dialIdle, dialWanted, kept, dialing, dialStart},
		{"caller", dialIdle, dialWanted, callers, dialing, dialStart},
		{"caller during the pause", dialWaiting, dialWanted, callers, dialing, dialStart},
		{"second caller during the dial", dialing, dialWanted, callers, dialing, dialNothing},
		{"caller of an open target", dialOpen, dialWanted, callers, dialOpen, dialNothing},
		{"pause over", dialWaiting, dialDue, kept, dialing, dialStart},
		{
			"pause over, the peer came by itself",
			dialWaiting, dialDue,
			dialFacts{kept: true, connected: true},
			dialIdle, dialNothing,
		},
		{
			"caller asks for another peer than the connected one",
			dialIdle, dialWanted,
			dialFacts{callers: true, connected: true},
			dialing, dialStart,
		},
		{
			"pause over, the peer is at another member",
			dialWaiting, dialDue,
			dialFacts{kept: true, elsewhere: true},
			dialIdle, dialNothing,
		},
		{
			"dial failed, the peer is at another member",
			dialing, dialFailed,
			dialFacts{kept: true, elsewhere: true},
			dialIdle, dialNothing,
		},
		{
			"caller, the peer is at another member",
			dialIdle, dialWanted,
			dialFacts{callers: true, elsewhere: true},
			dialing, dialStart,
		},
		{
			"pause over, another address is being dialled",
			dialWaiting, dialDue,
			dialFacts{kept: true, rival: true},
			dialWaiting, dialYield,
		},
		{
			"configured peer, another address is being dialled",
			dialIdle, dialWanted,
			dialFacts{kept: true, rival: true},
			dialWaiting, dialYield,
		},
		{
			"caller, another address is being dialled",
			dialIdle, dialWanted,
			dialFacts{callers: true, rival: true},
			dialing, dialStart,
		},
		{"revoked while waiting", dialWaiting, dialDue, dialFacts{kept: true, revoked: true}, dialIdle, dialRefuse},
		{
			"pause over while stopping",
			dialWaiting, dialDue,
			dialFacts{kept: true, stopping: true},
			dialWaiting, dialNothing,
		},
		{"handshake complete", dialing, dialOpened, kept, dialOpen, dialNothing},
		{"dial failed", dialing, dialFailed, kept, dialWaiting, dialPause},
		{"dial failed, one-shot", dialing, dialFailed, dialFacts{}, dialIdle, dialForget},
		{
			"dial failed, the peer came by itself",
			dialing, dialFailed,
			dialFacts{kept: true, connected: true},
			dialIdle, dialNothing,
		},
		{"dial failed while stopping", dialing, dialFailed, dialFacts{kept: true, stopping: true}, dialIdle, dialNothing},
		{"connection ended", dialOpen, dialEnded, kept, dialWaiting, dialPause},
		{"connection ended, one-shot", dialOpen, dialEnded, dialFacts{}, dialIdle, dialForget},
		{
			"connection ended, another one carries on",
			dialOpen, dialEnded,
			dialFacts{kept: true, connected: true},
			dialIdle, dialNothing,
		},
		{"the other connection ended", dialIdle, dialPeerEnded, kept, dialWaiting, dialPause},
		{"the other connection ended, one-shot", dialIdle, dialPeerEnded, dialFacts{}, dialIdle, dialForget},
		{"a further connection ended", dialOpen, dialPeerEnded, kept, dialOpen, dialNothing},
		{"another connection ended during the dial", dialing, dialPeerEnded, kept, dialing, dialNothing},
		{"another connection ended during the pause", dialWaiting, dialPeerEnded, kept, dialWaiting, dialNothing},
		{"last caller left", dialing, dialReleased, dialFacts{}, dialIdle, dialForget},
		{"one of two callers left", dialing, dialReleased, callers, dialing, dialNothing},
		{"caller of a kept peer left", dialWaiting, dialReleased, kept, dialWaiting, dialNothing},
		{"caller left after the dial", dialOpen, dialReleased, dialFacts{}, dialOpen, dialNothing},
		{"disconnected by the operator", dialOpen, dialDropped, kept, dialIdle, dialForget},
		{"disconnected during the pause", dialWaiting, dialDropped, kept, dialIdle, dialForget},
	} {
		if got, action := tt.from.step(tt.event, tt.facts); got != tt.want || action != tt.action {
			t.Errorf("%s: state %d, action %d; want %d, %d", tt.name, got, action, tt.want, tt.action)
		}
	}
}

// TestDialTargetKeepsItsInvariants tests each combination of state, event and facts.
func TestDialTargetKeepsItsInvariants(t *testing.T) {
	checked := 0
	for from := dialIdle; from <= dialWaiting; from++ {
		for event := dialWanted; event <= dialDropped; event++ {
			for bits := range 64 {
				f := dialFacts{
					stopping: bits&1 != 0, kept: bits&2 != 0, callers: bits&4 != 0,
					connected: bits&8 != 0, revoked: bits&16 != 0, rival: bits&32 != 0,
				}
				to, action := from.step(event, f)
				timer := action == dialPause || action == dialYield
				checked++
				for what, broken := range map[string]bool{
					"a dial starts while the node stops":      action == dialStart && f.stopping,
					"a dial of a revoked peer starts":         action == dialStart && f.revoked,
					"a dial starts, and the state is another": action == dialStart && to != dialing,
					"a second dial starts":                    action == dialStart && from == dialing,
					"dialing without a dial":                  to == dialing && from != dialing && action != dialStart,
					"waiting without a timer":                 to == dialWaiting && from != dialWaiting && !timer,
					"a timer without the state":               timer && to != dialWaiting,
					"the pause is over and nothing follows": event == dialDue && from == dialWaiting &&
						f.kept && !f.connected && !f.stopping && !f.revoked && to == dialWaiting && !timer,
					"a kept target is forgotten":                      action == dialForget && f.kept && event != dialDropped,
					"a target with callers is forgotten by a release": action == dialForget && f.callers && event == dialReleased,
					"a forgotten target is not idle":                  action == dialForget && to != dialIdle,
					"a kept target that is not connected has no timer": event == dialFailed &&
						f.kept && !f.connected && !f.stopping && action != dialPause,
				} {
					if broken {
						t.Errorf("state %d, event %d, %+v: %s", from, event, f, what)
					}
				}
			}
		}
	}
	if checked != 4*8*64 {
		t.Errorf("%d combinations checked", checked)
	}
}
