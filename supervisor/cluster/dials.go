package cluster

import (
	"slices"

	"github.com/Snider/go-p2p/supervisor"
)

// Dials implements supervisor.Cluster.
func (e *Engine) Dials(url string) bool {
	alive := e.alive.Load()
	return alive == nil || rendezvous(*alive, url) == e.opts.Name
}

// considerMembers takes note of the living members and their connections for Dials and Admits, and reports to the
// registry if other members are alive than before.
func (c *coordinator) considerMembers() {
	var alive []string
	var elsewhere int64
	for _, m := range c.directory.members {
		if m.state() == supervisor.MemberAlive {
			alive = append(alive, m.name)
		}
		if m != c.self && !m.lost {
			elsewhere += int64(m.beat.connections)
		}
	}
	c.engine.elsewhere.Store(elsewhere)
	slices.Sort(alive)
	if before := c.engine.alive.Load(); before != nil && slices.Equal(*before, alive) {
		return
	}
	c.engine.alive.Store(&alive)
	c.local.MembersChanged()
}
