package blackbox

import "testing"

// TestRelayCannotStripTheSession: the other features stay, so each node knows that the other one marks its frames. The
// dialler waits for the first marked frame, and connect fails.
func TestRelayCannotStripTheSession(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(bool, map[string]any){
		"of the ack": inAck(stripSession), "of the handshake": inHandshake(stripSession), "of both": inBoth(stripSession),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := relayed(t, nil, func(r *relay) { r.change = change })
			s.requireRefused(t)
		})
	}
}
