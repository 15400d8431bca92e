//go:build !amd64 || purego

package prefetch

// Uint16 does nothing on this processor.
func Uint16(*uint16) {}
