package cluster

import "slices"

// Reasons for which a member admits no connection.
const (
	refusedFull  = "the cluster has no free connection"
	refusedAlone = "no other member of the cluster is alive"
)

// Admits implements supervisor.Cluster, by Options.MaxConns and Options.RefuseAlone. The connections of the others are
// those of their last heartbeats.
func (e *Engine) Admits(connections int) (refused string) {
	switch {
	case e.opts.RefuseAlone && e.alone():
		return refusedAlone
	case e.opts.MaxConns > 0 && int64(connections)+e.elsewhere.Load() >= int64(e.opts.MaxConns):
		return refusedFull
	default:
		return ""
	}
}

// alone reports whether no other member is alive. Before the first heartbeat of this member it is not known to be.
func (e *Engine) alone() bool {
	alive := e.alive.Load()
	return alive != nil && !slices.ContainsFunc(*alive, func(name string) bool { return name != e.opts.Name })
}
