//go:build !purego

package jsonstring

// fast returns the assembly, if this CPU can run it.
func fast() []implementation {
	if !hasCompression {
		return nil
	}
	return []implementation{{"blocks", escapeBlocks, unescapeBlocks}}
}
