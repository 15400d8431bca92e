package admin

import (
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

func TestViewEscapesRoles(t *testing.T) {
	var v view
	role := crypto.NodeRole("dual\x1b[31m" + strings.Repeat("R", 7000))
	node := &fakeNode{known: []supervisor.PeerInfo{{ID: "a", Role: role}}}
	v.addPeers(t.Context(), node, nil)
	if role := v.Peers[0].Role; strings.Contains(role, "\x1b") || len(role) > 300 {
		t.Errorf("role of %d bytes: %.100q", len(role), role)
	}
}
