//go:build !unix

package socket

const canReadAhead = false

func readOnce(uintptr, []byte) (n int, again bool, err error) { return 0, false, nil }

func writeOnce(uintptr, []byte) (n int, again bool, err error) { return 0, false, nil }
