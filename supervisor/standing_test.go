package supervisor

import (
	"slices"
	"testing"
)

// allStandings are all small ones; order is what tells two connections apart, so it is never the same twice.
func allStandings() (all []standing) {
	for i := range 8 {
		for order := range uint64(4) {
			all = append(all, standing{proven: i&1 != 0, confirmed: i&2 != 0, smaller: i&4 != 0, order: order})
		}
	}
	return all
}

// carries is a strict total order among connections that differ in order, so that there is always one carrier and the
// result does not depend on the order of the list.
func TestCarriesIsATotalOrder(t *testing.T) {
	all := allStandings()
	for _, a := range all {
		if a.carries(a) {
			t.Fatalf("%+v carries rather than itself", a)
		}
		for _, b := range all {
			if a.order == b.order {
				continue
			}
			if a.carries(b) == b.carries(a) {
				t.Fatalf("%+v and %+v: not exactly one carries", a, b)
			}
			for _, c := range all {
				if c.order != a.order && c.order != b.order && a.carries(b) && b.carries(c) && !a.carries(c) {
					t.Fatalf("not transitive: %+v, %+v, %+v", a, b, c)
				}
			}
		}
	}
}

func TestCarriesRules(t *testing.T) {
	cases := []struct {
		name         string
		first, other standing
	}{
		{"proven before provisional, however young", standing{proven: true, order: 9}, standing{smaller: true, order: 1}},
		{"of two provisional the older", standing{order: 1}, standing{smaller: true, order: 2}},
		{"provisional life proves nothing", standing{order: 1}, standing{confirmed: true, order: 2}},
		{"life before none", standing{proven: true, confirmed: true, order: 1}, standing{proven: true, smaller: true, order: 2}},
		{"of two that live the smaller ID's", standing{proven: true, confirmed: true, smaller: true, order: 1}, standing{proven: true, confirmed: true, order: 2}},
		{"of two of one side the newer", standing{proven: true, confirmed: true, order: 2}, standing{proven: true, confirmed: true, order: 1}},
		{"of two without life the newer", standing{proven: true, order: 2}, standing{proven: true, smaller: true, order: 1}},
	}
	for _, c := range cases {
		if !c.first.carries(c.other) || c.other.carries(c.first) {
			t.Errorf("%s: the other one carries", c.name)
		}
	}
}

// Both sides dial at once: whatever order the two connections open and are proven in on either side, and whenever the
// probes are answered, once all is quiet both sides carry the same one.
func TestBothSidesAgree(t *testing.T) {
	const byA, byB = 0, 1               // A has the smaller ID
	type event struct{ conn, step int } // step 0 opens, 1 proves, 2 answers the probe
	var orders [][]event
	var permute func(done, rest []event)
	permute = func(done, rest []event) {
		if len(rest) == 0 {
			orders = append(orders, slices.Clone(done))
		}
		for i, e := range rest {
			if slices.ContainsFunc(rest, func(o event) bool { return o.conn == e.conn && o.step < e.step }) {
				continue
			}
			permute(append(done, e), slices.Delete(slices.Clone(rest), i, i+1))
		}
	}
	permute(nil, []event{{byA, 0}, {byA, 1}, {byA, 2}, {byB, 0}, {byB, 1}, {byB, 2}})
	if len(orders) != 20 {
		t.Fatalf("%d orders of events, want 20", len(orders))
	}
	outcome := make(map[int]int)
	for _, order := range orders {
		sides := [2]standing{byA: {smaller: true}, byB: {}}
		opened := [2]bool{}
		clock := uint64(0)
		for _, e := range order {
			s := &sides[e.conn]
			clock++
			switch e.step {
			case 0:
				opened[e.conn], s.order = true, clock
			case 1:
				s.proven, s.confirmed, s.order = true, true, clock
				if rival := &sides[1-e.conn]; opened[1-e.conn] && rival.proven {
					rival.confirmed = false // and it is probed
				}
			case 2:
				s.confirmed = true
			}
		}
		// Quiet: every probe has been answered.
		sides[byA].confirmed, sides[byB].confirmed = true, true
		if sides[byA].carries(sides[byB]) {
			outcome[byA]++
		} else {
			outcome[byB]++
		}
	}
	if outcome[byA] != 20 {
		t.Errorf("the smaller ID's connection carries in %d of 20 orders", outcome[byA])
	}
}
