package output

import (
	"testing"

	"github.com/Snider/go-p2p/wire"
)

// A reason of this node stands alone: its code repeats or contradicts it, as 1001, going away, of a lost connection.
func TestEndNamesTheCodeOfAPeerOnly(t *testing.T) {
	for want, end := range map[string]struct {
		reason string
		code   wire.DisconnectCode
		remote bool
	}{
		"is disconnected: connection lost":                        {"connection lost", wire.DisconnectGoingAway, false},
		"is disconnected: too slow":                               {"too slow", wire.DisconnectTimeout, false},
		"is disconnected: server shutdown":                        {"server shutdown", wire.DisconnectShutdown, false},
		"is disconnected: normal":                                 {"", wire.DisconnectNormal, false},
		"is disconnected by the peer: normal":                     {"", wire.DisconnectNormal, true},
		"is disconnected by the peer: server shutdown":            {"server shutdown", wire.DisconnectShutdown, true},
		"is disconnected by the peer: \"b\\n\" (server shutdown)": {"b\n", wire.DisconnectShutdown, true},
	} {
		if got := Ended(end.reason, end.code, end.remote, 64); got != want {
			t.Errorf("%+v: %q, want %q", end, got, want)
		}
	}
}
