package supervisor

import (
	"slices"
	"testing"
)

// TestTargetsAreFoundByEachOfTheirPeers: a target is listed once under the peer that it expects and once under the last
// that answered, until these change or it is removed.
func TestTargetsAreFoundByEachOfTheirPeers(t *testing.T) {
	index := make(targetIndex)
	a, b := &dialTarget{url: "a"}, &dialTarget{url: "b"}
	check := func(id string, want ...*dialTarget) {
		t.Helper()
		if got := index.of(id); !slices.Equal(got, want) {
			t.Errorf("%d targets of %q, want %d", len(got), id, len(want))
		}
	}
	index.set(a, "one", "")
	index.set(b, "one", "one")
	check("one", a, b)
	check("")
	index.set(a, "one", "two")
	check("two", a)
	check("one", b, a)
	index.set(a, "", "two")
	check("one", b)
	c := &dialTarget{url: "c"}
	index.set(c, "", "one")
	removed := 0
	for _, target := range index.of("one") {
		index.remove(target)
		removed++
	}
	if removed != 2 {
		t.Errorf("%d targets are read while they are removed, want 2", removed)
	}
	index.remove(a)
	if len(index) != 0 {
		t.Errorf("%d peers in an index without targets", len(index))
	}
}

// The dial of a target may open after the target was removed, because its caller has withdrawn. It is not listed again.
func TestRemovedTargetIsNotListedAgain(t *testing.T) {
	r := &registry{targets: make(map[string]*dialTarget), targetsOf: make(targetIndex)}
	target := r.targetFor("a", "ws://a", "", false)
	r.setTargetPeers(target, "", "peer")
	if len(r.targetsOf.of("peer")) != 1 {
		t.Fatal("the target is not listed")
	}
	delete(r.targets, target.url)
	r.targetsOf.remove(target)
	r.setTargetPeers(target, "peer", "peer")
	if len(r.targetsOf) != 0 {
		t.Error("a removed target is listed")
	}
	r.targetFor("a", "ws://a", "", false)
	if r.setTargetPeers(target, "peer", "peer"); len(r.targetsOf) != 0 {
		t.Error("a removed target is listed beside the next one of its address")
	}
}
