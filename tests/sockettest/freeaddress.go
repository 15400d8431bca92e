package sockettest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// The ports of FreeAddress: blocks of blockPorts from firstPort on, below the ports that kernels choose.
const (
	firstPort  = 20000
	blocks     = 120
	blockPorts = 100
)

// ports hands out the ports of this process.
var ports portBlocks

// portBlocks is the set of blocks of this process. The process holds a listener at the first port of each until its
// end, so that no other test process hands out the same ports. Safe for concurrent use.
type portBlocks struct {
	mu   sync.Mutex
	held []net.Listener
	left []int // ports of the last block
}

// take returns the next port, which no other call has returned. An error: other programs have the blocks.
func (b *portBlocks) take() (port int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for try := 0; len(b.left) == 0; try++ {
		first := firstPort + blockPorts*rand.IntN(blocks)
		l, err := listen(first)
		if err == nil {
			b.held = append(b.held, l)
			for port := first + 1; port < first+blockPorts; port++ {
				b.left = append(b.left, port)
			}
		} else if try > 10*blocks {
			return 0, err
		}
	}
	port, b.left = b.left[0], b.left[1:]
	return port, nil
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// FreeAddress returns an address of 127.0.0.1 that a program of the test can listen at, also after a restart. No other
// call returns it, of this process or another one. Its port is below those that kernels choose: otherwise another
// connection may take it, also one that is dialled to it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for {
		port, err := ports.take()
		if err != nil {
			t.Fatalf("no ports from %d on are free: %v", firstPort, err)
		}
		if l, err := listen(port); err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
}
