package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// errNilContext is returned by every call that takes a context and got nil.
var errNilContext = errors.New("the context is nil")

// checkContext returns the error of a context that is nil or has ended: a call returns it and causes nothing.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	return ctx.Err()
}

// call is one Connect call of the transport. Either the registry answers it or its caller withdraws it; the first of the
// two wins, so that a call that returned an error leaves no connection behind. A nil call cannot be withdrawn. Safe for
// concurrent use.
type call struct{ state atomic.Int32 }

// The states of a call: it leaves the first one once.
const (
	callWaiting int32 = iota
	callAnswered
	callWithdrawn
)

// answer reports whether the registry may answer the call. If so, its caller can no longer withdraw it.
func (c *call) answer() bool {
	return c == nil || c.state.CompareAndSwap(callWaiting, callAnswered) || c.state.Load() == callAnswered
}

// withdraw reports whether the caller may leave. If so, the registry answers the call no more.
func (c *call) withdraw() bool { return c.state.CompareAndSwap(callWaiting, callWithdrawn) }

func (c *call) withdrawn() bool { return c != nil && c.state.Load() == callWithdrawn }

// withdrawal tells the registry that the caller of a Connect has left.
type withdrawal struct{ call *call }

func (*withdrawal) fromTransport() {}

// onWithdrawal forgets a caller that has left, and ends the dial if it was the last one that wanted it.
func (r *registry) onWithdrawal(ctx actor.Context, msg *withdrawal) {
	for _, t := range r.targets {
		if slices.ContainsFunc(t.callers, func(caller dialCaller) bool { return caller.call == msg.call }) {
			r.cancelUnwanted(ctx, t)
		}
	}
}

// cancelUnwanted forgets the callers of a target that have left. If none remains and the target is not kept connected, it
// drops the target, ends its dial, and returns true. An open connection stays.
func (r *registry) cancelUnwanted(ctx actor.Context, t *dialTarget) bool {
	t.callers = slices.DeleteFunc(t.callers, func(caller dialCaller) bool { return caller.call.withdrawn() })
	return r.advance(ctx, t, dialReleased, nil) == dialForget
}
