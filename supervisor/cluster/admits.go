package cluster

import "github.com/Snider/go-p2p/supervisor"

// Reasons for which a member admits no connection.
const (
	refusedFull  = "the cluster has no free connection"
	refusedAlone = "no other member of the cluster is alive"
)

// Admits implements supervisor.Cluster, by Options.MaxConns and Options.RefuseAlone. The connections of the others are
// those of their last heartbeats.
func (e *Engine) Admits(connections int) (refused string) {
	switch {
	case e.opts.RefuseAlone && e.alone.Load():
		return refusedAlone
	case e.opts.MaxConns > 0 && int64(connections)+e.elsewhere.Load() >= int64(e.opts.MaxConns):
		return refusedFull
	default:
		return ""
	}
}

// countElsewhere adds up the connections of the other living members for Engine.Admits.
func (c *coordinator) countElsewhere() {
	var connections int64
	alone := true
	for _, m := range c.members {
		if m == c.self || m.state() == supervisor.MemberLost {
			continue
		}
		connections += int64(m.beat.connections)
		alone = alone && m.state() != supervisor.MemberAlive
	}
	c.engine.elsewhere.Store(connections)
	c.engine.alone.Store(alone)
}
