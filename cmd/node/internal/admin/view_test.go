package admin

import (
	"strconv"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

func TestViewEscapesRoles(t *testing.T) {
	role := crypto.NodeRole("dual\x1b[31m" + strings.Repeat("R", 7000))
	shown := factsOf(entries(supervisor.PeerInfo{ID: "a", Role: role})[0])
	if strings.Contains(shown.Role, "\x1b") || len(shown.Role) > 300 {
		t.Errorf("role of %d bytes: %.100q", len(shown.Role), shown.Role)
	}
}

// Connections in an unusual state come first, and the list is cut to maxTree.
func TestTreeListsUnusualConnectionsFirst(t *testing.T) {
	var all []supervisor.ConnectionActor
	for i := range 3 * maxTree {
		c := supervisor.ConnectionActor{Actor: strconv.Itoa(i), State: supervisor.ConnectionVerified, Route: true}
		switch i {
		case 290:
			c.State, c.Name = supervisor.ConnectionUnverified, "<b>\n"
		case 299:
			c.Route = false
		}
		all = append(all, c)
	}
	list := actorViews(all)
	if len(list) != maxTree || list[0].Actor != "290" || list[1].Actor != "299" || list[2].Actor != "0" {
		t.Errorf("%d connections, first %+v", len(list), list[:3])
	}
	if list[0].Name != `"<b>\n"` {
		t.Errorf("name %s", list[0].Name)
	}
}
