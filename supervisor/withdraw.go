package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// errNilContext is the error of every call with a nil context.
var errNilContext = errors.New("the context is nil")

// checkContext returns an error if the context is nil or has ended. The call then has no effect.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	return ctx.Err()
}

// call is the state of one Connect call. Either the registry answers it or the caller withdraws it; the first of the
// two wins. So a call that returned an error leaves no connection behind. A nil call cannot be withdrawn. Safe for
// concurrent use.
type call struct{ state atomic.Int32 }

// The states of a call. It leaves callWaiting once.
const (
	callWaiting int32 = iota
	callAnswered
	callWithdrawn
)

// answer reports whether the registry may answer the call. After true, the caller can no longer withdraw it.
func (c *call) answer() bool {
	return c == nil || c.state.CompareAndSwap(callWaiting, callAnswered) || c.state.Load() == callAnswered
}

// withdraw reports whether the caller has withdrawn the call. After true, the registry does not answer it.
func (c *call) withdraw() bool { return c.state.CompareAndSwap(callWaiting, callWithdrawn) }

func (c *call) withdrawn() bool { return c != nil && c.state.Load() == callWithdrawn }

// withdrawal tells the registry that the caller of a Connect has withdrawn.
type withdrawal struct{ call *call }

func (*withdrawal) fromTransport() {}

// onWithdrawal removes a withdrawn caller, and stops the dial if no other caller waits for it.
func (r *registry) onWithdrawal(ctx actor.Context, msg *withdrawal) {
	for _, t := range r.targets {
		if slices.ContainsFunc(t.callers, func(caller dialCaller) bool { return caller.call == msg.call }) {
			r.cancelUnwanted(ctx, t)
		}
	}
}

// cancelUnwanted removes the withdrawn callers of a target. If no caller remains and the target is not kept connected,
// it removes the target, stops its dial, and returns true. An open connection stays.
func (r *registry) cancelUnwanted(ctx actor.Context, t *dialTarget) bool {
	t.callers = slices.DeleteFunc(t.callers, func(caller dialCaller) bool { return caller.call.withdrawn() })
	return r.advance(ctx, t, dialReleased, nil) == dialForget
}
