package sockettest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddress returns an address of 127.0.0.1 that a program of the test can listen at, also after a restart. Its port
// is below those that kernels choose: otherwise another connection may take it, also one that is dialled to it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
	t.Fatal("no port from 20000 to 31999 is free")
	return ""
}
