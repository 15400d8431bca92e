//go:build !amd64 || purego

package verbatim

func length(text string) int { return words(text) }
