//go:build !amd64 || purego

package keystream

func fast() []implementation { return nil }
