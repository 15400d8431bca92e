package cluster

import (
	"context"
	"sync"
	"time"
)

// exchanges are the requests to other members that are under way. Leave ends all of them. Safe for concurrent use.
type exchanges struct {
	ctx    context.Context // ends in end
	cancel context.CancelFunc

	mu    sync.Mutex // of begin and end
	group sync.WaitGroup
}

func newExchanges() *exchanges {
	ctx, cancel := context.WithCancel(context.Background())
	return &exchanges{ctx: ctx, cancel: cancel}
}

// begin counts an exchange. It returns false after end. Each true must be followed by a call of done.
func (x *exchanges) begin() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx.Err() != nil {
		return false
	}
	x.group.Add(1)
	return true
}

func (x *exchanges) done() { x.group.Done() }

// end ends the contexts of all exchanges, and waits for their calls of done.
func (x *exchanges) end() {
	x.mu.Lock()
	x.cancel()
	x.mu.Unlock()
	x.group.Wait()
}

// limit returns a context that ends with ctx, after a time, and in end.
func (x *exchanges) limit(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	stop := context.AfterFunc(x.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// request sends a message to a subject of a member, m.<member>.<channel>, and returns the answer.
func (e *Engine) request(ctx context.Context, member, channel string, ask *message) (*message, error) {
	body, err := e.bus.Request(ctx, e.subject("m", member, channel), ask.encode())
	if err != nil {
		return nil, err
	}
	answer, err := decode(body)
	if err != nil {
		e.dropped(err)
	}
	return answer, err
}
