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
	for _, target := range index.of("two") {
		index.remove(target)
	}
	index.remove(b)
	if len(index) != 0 {
		t.Errorf("%d peers in an index without targets", len(index))
	}
}
