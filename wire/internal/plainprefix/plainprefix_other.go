//go:build !amd64 || purego

package plainprefix

func length(text string) int { return words(text) }
