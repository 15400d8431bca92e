//go:build !amd64 || purego

package jsonstring

func fast() []implementation { return nil }
