package cluster

import "testing"

func TestWindowAdmitsFullBatchesUpToItsLimit(t *testing.T) {
	for _, row := range []struct {
		open       window
		part, full bool // whether a batch is admitted
	}{{0, true, true}, {1, false, true}, {maxOpen - 1, false, true}, {maxOpen, false, false}} {
		if row.open.admits(false) != row.part || row.open.admits(true) != row.full {
			t.Errorf("with %d open ones: a part %v, a full one %v", row.open, row.open.admits(false), row.open.admits(true))
		}
	}
}
