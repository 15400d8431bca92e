package prefetch

import "testing"

// Uint16 has no visible effect; the test checks that it does not crash.
func TestUint16AllocatesNothing(t *testing.T) {
	x := uint16(7)
	Uint16(&x)
	if x != 7 {
		t.Error(x)
	}
	if n := testing.AllocsPerRun(100, func() {
		var local uint16
		Uint16(&local)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
