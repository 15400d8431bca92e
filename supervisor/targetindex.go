package supervisor

import "slices"

// targetIndex contains the dial targets by the node IDs that may answer, or answered last, at their addresses. A node
// with thousands of targets finds those of one peer without a look at all others. The registry owns it.
type targetIndex map[string][]*dialTarget

// of returns the targets of a peer. The caller may add and remove targets while it reads the list.
func (x targetIndex) of(id string) []*dialTarget { return slices.Clone(x[id]) }

// setTargetPeers records the only node ID that may answer at a target, and the last one that answered. Empty: none. A
// target that was removed is not listed again: its dial may open after its caller has withdrawn.
func (r *registry) setTargetPeers(t *dialTarget, expect, peer string) {
	if r.targets[t.url] == t {
		r.targetsOf.set(t, expect, peer)
	}
}

// set lists a target by its peers, and not by the former ones.
func (x targetIndex) set(t *dialTarget, expect, peer string) {
	x.remove(t)
	t.expect, t.peer = expect, peer
	x.add(t, expect)
	if peer != expect {
		x.add(t, peer)
	}
}

// remove takes a target out of the lists of its peers.
func (x targetIndex) remove(t *dialTarget) {
	for _, id := range []string{t.expect, t.peer} {
		if rest := slices.DeleteFunc(x[id], func(other *dialTarget) bool { return other == t }); len(rest) > 0 {
			x[id] = rest
		} else {
			delete(x, id)
		}
	}
}

func (x targetIndex) add(t *dialTarget, id string) {
	if id != "" {
		x[id] = append(x[id], t)
	}
}
