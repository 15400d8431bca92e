package demo

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the run if a test leaks a goroutine. The dead-letter throttle of the actor library ends by itself
// within a second.
func TestMain(m *testing.M) {
	const throttle = "github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(throttle))
}
