//go:build !purego

package prefetch

// Uint16 starts to fetch the cache line of *p and does not wait for it.
//
//go:noescape
func Uint16(p *uint16)
