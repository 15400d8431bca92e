package prefetch

import "testing"

// All that can be seen from outside: it does no harm.
func TestUint32(t *testing.T) {
	x := uint32(7)
	Uint32(&x)
	if x != 7 {
		t.Error(x)
	}
	if n := testing.AllocsPerRun(100, func() {
		var local uint32
		Uint32(&local)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
