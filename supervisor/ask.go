package supervisor

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// question carries a message from a goroutine of the transport to the registry, with a function for the answer. reply
// runs inside Receive and must not wait.
type question struct {
	message any
	reply   func(answer any)
}

// unwrap returns the current message and the function for its answer: that of a question, or one that sends the answer
// to the sender. The function is nil if no answer is wanted.
func (r *registry) unwrap(ctx actor.Context) (message any, reply func(answer any)) {
	if q, ok := ctx.Message().(*question); ok {
		return q.message, q.reply
	}
	sender := ctx.Sender()
	if sender == nil {
		return ctx.Message(), nil
	}
	message = ctx.Message()
	return message, func(answer any) { r.node.System.Root.Send(sender, labelled(message, answer)) }
}

// answer answers the current message, once.
func (r *registry) answer(message any) {
	if reply := r.takeReply(); reply != nil {
		reply(message)
	}
}

// takeReply returns the function for the answer to the current message, for an answer that comes later, or nil if no
// answer is wanted.
func (r *registry) takeReply() func(answer any) {
	reply := r.reply
	r.reply = nil
	return reply
}

// ask sends a message to the registry and waits for the answer. The error is ErrStopped, ctx's, or the registry's.
func ask[T any](ctx context.Context, t *Transport, message any) (T, error) {
	return askUnless[T](ctx, t, message, func() bool { return true })
}

// askUnless is ask with a function withdraw, which it calls once when ctx ends. If withdraw returns false, the answer
// is on its way and askUnless waits for it.
func askUnless[T any](ctx context.Context, t *Transport, message any, withdraw func() bool) (T, error) {
	var none T
	if err := checkContext(ctx); err != nil {
		return none, err
	}
	pid, ended := t.running()
	if pid == nil {
		return none, ErrStopped
	}
	answers := make(chan any, 1) // one answer is sent
	t.opts.system.Root.Send(pid, &question{message: message, reply: func(answer any) { answers <- answer }})
	done := ctx.Done()
	for {
		select {
		case answer := <-answers:
			return answerAs[T](answer)
		case <-ended:
			return none, ErrStopped
		case <-done:
			if withdraw() {
				return none, ctx.Err()
			}
			done = nil
		}
	}
}

// answerAs returns an answer of type T, or the error of a Failed or unexpected answer.
func answerAs[T any](answer any) (T, error) {
	switch answer := answer.(type) {
	case T:
		return answer, nil
	case *Failed:
		return *new(T), answer.Err
	default:
		return *new(T), fmt.Errorf("the registry answered with %T", answer)
	}
}

func (t *Transport) running() (*actor.PID, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != transportRunning {
		return nil, nil
	}
	return t.pid, t.ended
}
