package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asBinary is a variable that makes the test binary the program itself, for tests that need one in a terminal.
const asBinary = "NODE_TEST_AS_BINARY"

// TestMain fails the run when a goroutine is left over. The actor library's count of dead letters is one that ends by
// itself within a second.
func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		main()
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}
