//go:build !amd64 || purego

package quotes

func fast() []implementation { return nil }
