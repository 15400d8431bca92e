package cluster

import (
	"hash/fnv"
	"slices"

	"github.com/Snider/go-p2p/supervisor"
)

// Dials implements supervisor.Cluster.
func (e *Engine) Dials(url string) bool {
	alive := e.alive.Load()
	return alive == nil || owner(url, *alive) == e.opts.Name
}

// owner returns the member that a key belongs to, by rendezvous hashing: when a member leaves, only its own keys get
// other owners. names is not empty.
func owner(key string, names []string) string {
	var best uint64
	owner := ""
	for _, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key + "\x00" + name)) // never fails
		if score := mix(h.Sum64()); owner == "" || score > best {
			best, owner = score, name
		}
	}
	return owner
}

// mix spreads the bits of a hash: FNV hardly changes the upper ones for the last bytes of its input.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
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
