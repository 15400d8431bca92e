package supervisor

import (
	"testing"
	"unsafe"
)

// Objects that the node keeps for each peer stay out of the size classes of much garbage, 208 and 352 bytes: no page of
// them could be returned (docs/performance-notes.md).
func TestKeptObjectsAvoidClassesOfGarbage(t *testing.T) {
	if size := unsafe.Sizeof(slot{}); size > 320 {
		t.Errorf("a slot has %d bytes, more than 320", size)
	}
	if size := unsafe.Sizeof(Peer{}); size > 192 {
		t.Errorf("an entry of the peer book has %d bytes, more than 192", size)
	}
}
