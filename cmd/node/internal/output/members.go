package output

import (
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// States of members that have a text of their own; the third one is alive.
const (
	MemberDraining = "draining"
	MemberLost     = "lost"
)

// Member is the JSON of one member in `node members`.
type Member struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"` // for other members; empty with NATS elsewhere
	State       string    `json:"state"`   // alive, draining or lost
	Self        bool      `json:"self"`    // the member that answers
	Connections int       `json:"connections"`
	Max         int       `json:"max"`
	LastHeard   time.Time `json:"lastHeard"` // of its last message to the member that answers
}

// NewMembers formats the members as known at a time. It never returns nil.
func NewMembers(members []supervisor.ClusterMember, now time.Time) []Member {
	list := make([]Member, 0, len(members))
	for _, m := range members {
		list = append(list, Member{
			Name: m.Name, Address: m.Address, State: m.State.String(), Self: m.Self, Connections: m.Connections, Max: m.Max,
			LastHeard: now.Add(-m.Heard).UTC(),
		})
	}
	return list
}
