//go:build !unix

package actors

const canReadAhead = false

func readOnce(uintptr, []byte) (n int, again bool, err error) { return 0, false, nil }
