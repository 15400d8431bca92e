//go:build !purego

package prefetch

// Uint32 begins to fetch the cache line of *p and does not wait for it.
//
//go:noescape
func Uint32(p *uint32)
