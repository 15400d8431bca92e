//go:build linux

package guardpage

import (
	"testing"
	"unsafe"
)

// Every byte of the buffers is writable. The byte before the first buffer and the byte behind the last one fault.
func TestGuardPagesFault(t *testing.T) {
	m := New(t, 5000)
	for n := range 301 {
		for end, buffer := range m.Ends(n) {
			if err := Fault(func() { clear(buffer) }); err != nil || len(buffer) != n || cap(buffer) != n {
				t.Fatalf("%s %d bytes: len %d, cap %d, %v", end, n, len(buffer), cap(buffer), err)
			}
		}
	}
	last := unsafe.Pointer(unsafe.SliceData(m.Last(0)))
	before := unsafe.Add(unsafe.Pointer(unsafe.SliceData(m.First(1))), -1)
	for name, address := range map[string]unsafe.Pointer{"before": before, "behind": last} {
		if err := Fault(func() { *(*byte)(address) = 1 }); err == nil {
			t.Errorf("a write %s the memory did not fault", name)
		}
		if err := Fault(func() { _ = *(*byte)(address) }); err == nil {
			t.Errorf("a read %s the memory did not fault", name)
		}
	}
}
