package natsbus

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// victim returns the stranger that gives its slot up: the oldest of the address group with most of them. Those at known
// addresses of members come last.
func victim(all []*passage, known map[netip.Addr]bool) *passage {
	count := make(map[netip.Prefix]int)
	for _, p := range all {
		count[groupOf(p.from)]++
	}
	rank := func(p *passage) int { // greatest first; positive, or not if the address is known
		if known[p.from] {
			return count[groupOf(p.from)] - len(all)
		}
		return count[groupOf(p.from)]
	}
	return slices.MinFunc(all, func(a, b *passage) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), a.born.Compare(b.born))
	})
}

// acceptListed frees the slots of the routes that the server lists, if all slots are taken: routes calls accept once a
// second only. The server lists them every settleEvery at most.
func (g *gate) acceptListed(now time.Time) {
	g.mu.Lock()
	due := len(g.strangers) >= g.slots && now.Sub(g.listedAt) >= settleEvery
	if due {
		g.listedAt = now
	}
	g.mu.Unlock()
	if due {
		for _, port := range g.listed() {
			g.accept(port)
		}
	}
}

// setKnown sets the addresses of members.
func (g *gate) setKnown(members []netip.AddrPort) {
	known := make(map[netip.Addr]bool, len(members))
	for _, m := range members {
		known[m.Addr()] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = known
}

// ports returns the ports of the routes as the server sees them. DidSolicit does not tell the accepted ones: NATS sets
// it for the one that is left of two routes between the same members. Safe for concurrent use.
func (r *routes) ports() (list []uint16) {
	routes, err := r.server.Routez(nil)
	if err != nil {
		return nil // Routez returns none
	}
	for _, route := range routes.Routes {
		list = append(list, uint16(route.Port))
	}
	return list
}
