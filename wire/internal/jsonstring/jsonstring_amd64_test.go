//go:build !purego

package jsonstring

// fast is what the CPU has of the assembly.
func fast() []implementation {
	if !hasCompression {
		return nil
	}
	return []implementation{{"blocks", escapeBlocks, unescapeBlocks}}
}
