package main

import (
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// The list of peers shows why a persistent peer is not connected.
func TestPeersShowTheDialError(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tests := map[string]control.Known{
		"persistent, next dial in 4s: connection refused": {
			Peer:      output.Peer{Address: "h:1", Persistent: true},
			LastError: "connection refused", NextDialAt: now.Add(4 * time.Second),
		},
		"persistent: ?[2J":   {Peer: output.Peer{ID: "1", Persistent: true}, LastError: "\x1b[2J"},
		"persistent,allowed": {Peer: output.Peer{ID: "1", Persistent: true, Allowed: true}},
		"-":                  {Peer: output.Peer{ID: "1"}},
	}
	for want, peer := range tests {
		var out strings.Builder
		writePeers(&out, []control.Known{peer}, now)
		if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], "  "+want) {
			t.Errorf("written as %q, want an end of %q", out.String(), want)
		}
	}
}
