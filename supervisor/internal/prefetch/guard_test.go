//go:build linux

package prefetch

import (
	"testing"
	"unsafe"

	"github.com/Snider/go-p2p/tests/guardpage"
)

// The address may be unmapped, or the last of a page: a prefetch never faults.
func TestUint16NeverFaults(t *testing.T) {
	memory := guardpage.New(t, 2)
	behind := unsafe.Pointer(unsafe.SliceData(memory.Last(0)))
	before := unsafe.Pointer(unsafe.SliceData(memory.First(2)))
	for offset := -300; offset <= 300; offset++ {
		for _, address := range []unsafe.Pointer{unsafe.Add(behind, offset), unsafe.Add(before, offset)} {
			if err := guardpage.Fault(func() { Uint16((*uint16)(address)) }); err != nil {
				t.Fatalf("offset %d: %v", offset, err)
			}
		}
	}
}
