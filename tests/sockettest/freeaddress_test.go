package sockettest

import "testing"

// A test reserves several addresses before its programs listen.
func TestFreeAddressReturnsEachOnce(t *testing.T) {
	seen := make(map[string]bool)
	for range 2 * blockPorts {
		address := FreeAddress(t)
		if seen[address] {
			t.Fatalf("%s is returned twice", address)
		}
		seen[address] = true
	}
}
