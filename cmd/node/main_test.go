package main

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the run when a goroutine is left over. The actor library's count of dead letters is one that ends by
// itself within a second.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}
