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

// considerMembers reports to the registry if other members are alive than before.
func (c *coordinator) considerMembers() {
	var alive []string
	for _, m := range c.members {
		if m.state() == supervisor.MemberAlive {
			alive = append(alive, m.name)
		}
	}
	slices.Sort(alive)
	if before := c.engine.alive.Load(); before != nil && slices.Equal(*before, alive) {
		return
	}
	c.engine.alive.Store(&alive)
	c.local.MembersChanged()
}
