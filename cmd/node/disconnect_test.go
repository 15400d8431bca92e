package main

import (
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
)

// TestDisconnectTellsWhetherThePeerWasConnected requires one line that names the effect on the peer.
func TestDisconnectTellsWhetherThePeerWasConnected(t *testing.T) {
	until := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	for want, result := range map[string]control.Disconnected{
		"disconnected 8": {PublicKey: "K"},
		"disconnected 8 and removed it from the peer book":       {PublicKey: "K", Forgotten: true},
		"disconnected 8, refused until 2026-11-29T03:00:00Z":     {PublicKey: "K", Until: until},
		"closed connection 3 of 8":                               {PublicKey: "K", Connection: 3},
		"8 was not connected, and is no longer redialled":        {},
		"8 was not connected, and is removed from the peer book": {Forgotten: true},
		"8 is refused until 2026-11-29T03:00:00Z":                {Until: until},
	} {
		result.Peer = "8"
		var out strings.Builder
		writeDisconnected(&out, result)
		if out.String() != want+"\n" {
			t.Errorf("%+v: %q, want %q", result, out.String(), want)
		}
	}
}
