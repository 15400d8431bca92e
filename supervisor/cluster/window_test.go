package cluster

import "testing"

func TestWindowAdmitsLargeBatchesUpToItsLimit(t *testing.T) {
	for _, row := range []struct {
		open         window
		small, large bool // whether a batch is admitted
	}{{0, true, true}, {1, false, true}, {maxOpen - 1, false, true}, {maxOpen, false, false}} {
		if row.open.admits(false) != row.small || row.open.admits(true) != row.large {
			t.Errorf("with %d open ones: small %v, large %v", row.open, row.open.admits(false), row.open.admits(true))
		}
	}
}
