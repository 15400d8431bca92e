//go:build !amd64 || purego

package prefetch

// Uint16 does nothing here.
func Uint16(*uint16) {}
