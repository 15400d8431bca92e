package supervisor

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The actor library's dead-letter throttle outlives its system by a second; the examples run on real time.
	throttle := "github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(throttle))
}
