package cluster

import (
	"context"
	"sync"
)

const maxChecks = 256 // in one batch

// question is a check on its way to one member.
type question struct {
	check check
	done  func(checked, error) // called exactly once; it does not wait
}

// checkQueue sends the questions to one member, in batches, see window. Safe for concurrent use.
type checkQueue struct {
	engine *Engine
	member string

	mu      sync.Mutex
	waiting []*question
	open    window
}

// checkQueues are the queues to all members that were asked.
type checkQueues struct {
	mu       sync.Mutex
	byMember map[string]*checkQueue
}

// checksTo returns the queue to a member.
func (e *Engine) checksTo(member string) *checkQueue {
	e.queues.mu.Lock()
	defer e.queues.mu.Unlock()
	if e.queues.byMember == nil {
		e.queues.byMember = make(map[string]*checkQueue)
	}
	q := e.queues.byMember[member]
	if q == nil {
		q = &checkQueue{engine: e, member: member}
		e.queues.byMember[member] = q
	}
	return q
}

// add sends questions, or has them wait.
func (q *checkQueue) add(questions ...*question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, questions...)
	q.flush()
}

// flush sends the next batches. q.mu is held.
func (q *checkQueue) flush() {
	for len(q.waiting) > 0 && q.open.admits(len(q.waiting) >= maxChecks) {
		if !q.engine.exchanges.begin() {
			for _, one := range q.waiting {
				one.done(checked{}, ErrLeft)
			}
			q.waiting = nil
			return
		}
		n := min(len(q.waiting), maxChecks)
		batch := q.waiting[:n:n]
		if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
			q.waiting = nil
		}
		q.open++
		go q.exchange(batch)
	}
}

// exchange sends a batch, passes the answers on, and continues with the questions that waited.
func (q *checkQueue) exchange(batch []*question) {
	defer q.engine.exchanges.done()
	answers, err := q.request(batch)
	q.mu.Lock()
	q.open--
	q.flush()
	q.mu.Unlock()
	for i, one := range batch {
		if err != nil {
			one.done(checked{}, err)
		} else {
			one.done(answers[i], nil)
		}
	}
}

func (q *checkQueue) request(batch []*question) ([]checked, error) {
	e := q.engine
	ctx, cancel := context.WithTimeout(e.exchanges.ctx, askWithin)
	defer cancel()
	ask := &message{head: e.head(kindCheck), checks: make([]check, len(batch))}
	for i, one := range batch {
		ask.checks[i] = one.check
	}
	answer, err := e.request(ctx, q.member, "seen", ask)
	if err == nil && (answer.kind != kindChecked || len(answer.checked) != len(batch)) {
		e.dropped(errMessage)
		err = errMessage
	}
	if err != nil {
		return nil, err
	}
	return answer.checked, nil
}
