//go:build !linux

package peerbook

// unmapPages does nothing: the pages stay mapped until the system needs memory.
func unmapPages(uintptr, int64) {}
