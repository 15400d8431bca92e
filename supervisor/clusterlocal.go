package supervisor

import "github.com/Snider/go-p2p/actors"

// clusterLocal is the ClusterLocal of a transport. Each method sends a message to the registry.
type clusterLocal struct{ t *Transport }

var _ ClusterLocal = clusterLocal{}

// Messages of the cluster to the registry.
type (
	// claimDecided is the verdict about a claim of this member.
	claimDecided struct {
		peer       string
		generation uint64 // of the claim
		verdict    ClaimVerdict
	}
	// claimContested is the claim of another member for a peer of this one.
	claimContested struct {
		claim  Claim
		decide func(ClaimVerdict)
	}
	// claimTaken reports that another member holds a peer of this one under a higher term.
	claimTaken struct {
		peer, member string
		term         uint64
	}
	// peerFreed reports that no other member holds a peer any more.
	peerFreed struct{ peer string }
	// membersChanged reports that Cluster.Dials may have changed.
	membersChanged struct{}
)

func (*claimDecided) fromTransport()   {}
func (*claimContested) fromTransport() {}
func (*claimTaken) fromTransport()     {}
func (*peerFreed) fromTransport()      {}
func (*membersChanged) fromTransport() {}

// Contest implements ClusterLocal.
func (l clusterLocal) Contest(c Claim, decide func(ClaimVerdict)) {
	l.t.tell(&claimContested{claim: c, decide: decide})
}

// Taken implements ClusterLocal.
func (l clusterLocal) Taken(peer, member string, term uint64) {
	l.t.tell(&claimTaken{peer: peer, member: member, term: term})
}

// Count implements ClusterLocal.
func (l clusterLocal) Count(counter actors.Counter) { l.t.node.Counters.Inc(counter) }

// MembersChanged implements ClusterLocal.
func (l clusterLocal) MembersChanged() { l.t.tell(&membersChanged{}) }

// Load implements ClusterLocal.
func (l clusterLocal) Load() (connections, limit int) {
	return int(l.t.occupied.Load()), l.t.live.Load().MaxConns
}

// countSlots stores the number of slots for ClusterLocal.Load.
func (r *registry) countSlots() { r.transport.occupied.Store(int64(len(r.slots))) }

// Member returns the name of this member of the cluster, or "" without WithCluster.
func (t *Transport) Member() string {
	if t.opts.cluster == nil {
		return ""
	}
	return t.opts.cluster.Name()
}

// Home returns the member of the cluster that is connected to a peer, or "" if none is, or without WithCluster.
func (t *Transport) Home(id string) string {
	if t.opts.cluster == nil {
		return ""
	}
	home, _ := t.opts.cluster.Home(id)
	return home
}
