//go:build !purego

package quotes

// fast is what the CPU has of the assembly.
func fast() []implementation {
	if !hasCompression {
		return nil
	}
	return []implementation{{"blocks", escapeBlocks, unescapeBlocks}}
}
