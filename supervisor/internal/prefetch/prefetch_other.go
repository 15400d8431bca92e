//go:build !amd64 || purego

package prefetch

// Uint32 does nothing here.
func Uint32(*uint32) {}
