package cluster

import (
	"context"
	"errors"
	"sync"
)

const maxChecks = 256 // in one batch

// question is a check on its way to one member.
type question struct {
	check check
	done  func(checked, error) // called exactly once; it does not wait
}

// checkQueue sends the questions to one member, in batches, see window. The lock of checkQueues guards it.
type checkQueue struct {
	engine  *Engine
	member  string
	waiting []*question
	open    window
}

// checkQueues are the queues with a batch under way. Safe for concurrent use.
type checkQueues struct {
	mu       sync.Mutex
	byMember map[string]*checkQueue
}

// check sends questions to a member, or has them wait.
func (e *Engine) check(member string, questions ...*question) {
	e.queues.mu.Lock()
	defer e.queues.mu.Unlock()
	q := e.queues.byMember[member]
	if q == nil {
		q = &checkQueue{engine: e, member: member}
		e.queues.byMember[member] = q
	}
	q.waiting = append(q.waiting, questions...)
	q.flush()
}

// flush sends the next batches, and removes the queue if none is under way. engine.queues.mu is held.
func (q *checkQueue) flush() {
	for len(q.waiting) > 0 && q.open.admits(len(q.waiting) >= maxChecks) {
		if !q.engine.exchanges.begin() {
			for _, one := range q.waiting {
				one.done(checked{}, ErrLeft)
			}
			q.waiting = nil
			break
		}
		n := min(len(q.waiting), maxChecks)
		batch := q.waiting[:n:n]
		if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
			q.waiting = nil
		}
		q.open++
		go q.exchange(batch)
	}
	if q.open == 0 {
		delete(q.engine.queues.byMember, q.member)
	}
}

// exchange sends a batch, passes the answers on, and continues with the questions that waited.
func (q *checkQueue) exchange(batch []*question) {
	defer q.engine.exchanges.done()
	answers, err := q.request(batch)
	if errors.Is(err, ErrNoResponders) { // until it is lost, no other member decides in its place
		q.engine.tell(&suspected{q.member})
	}
	q.engine.queues.mu.Lock()
	q.open--
	q.flush()
	q.engine.queues.mu.Unlock()
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
	for i := range answer.checked {
		answer.checked[i].boot = answer.boot
	}
	return answer.checked, nil
}
