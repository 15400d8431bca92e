package cluster

import (
	"errors"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

const (
	askWithin = 250 * time.Millisecond // for one answer
	askPause  = 10 * time.Millisecond  // before the home of an author that has moved is asked
)

// inquiry is the check of one message with all members that must be asked, one after the other step by step.
type inquiry struct {
	check *supervisor.SeenCheck
	asked []string
	next  []string // members to ask in the next step
	first bool     // the next step asks the home or the keeper
	moved bool     // the asked member is not the home: look the home up again, after a pause
	ended bool     // the verdict is known, or no answer is possible

	stopped []startOf // asked, and known to have stopped: the verdict waits for the history of homes to say so
}

// CheckSeen implements supervisor.Cluster.
func (e *Engine) CheckSeen(checks []*supervisor.SeenCheck, until time.Time) {
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	all := make([]*inquiry, len(checks))
	for i, c := range checks {
		c.Verdict = actors.Unanswered
		all[i] = &inquiry{check: c, first: !c.Here}
	}
	for {
		all = slices.DeleteFunc(all, func(q *inquiry) bool {
			if !q.ended {
				e.seen.advance(q)
			}
			return q.ended
		})
		if len(all) == 0 || !e.step(all, over.C) {
			return
		}
		moved := slices.ContainsFunc(all, func(q *inquiry) bool { return q.moved })
		if moved && !sleep(askPause, over.C) {
			return
		}
	}
}

// TakeTokens implements supervisor.Cluster.
func (e *Engine) TakeTokens(peer string, n int, until time.Time) int {
	home, held := e.Home(peer)
	if !held || home == e.opts.Name {
		return n
	}
	over := time.NewTimer(time.Until(until))
	defer over.Stop()
	refused, questions := make(chan bool, n), make([]*question, n)
	for i := range questions {
		questions[i] = &question{check{author: peer, token: true}, func(answer checked, err error) {
			refused <- err == nil && answer.verdict == seenOverRate
		}}
	}
	e.check(home, questions...)
	taken := n
	for range n {
		select {
		case none := <-refused:
			taken -= int(flag(none))
		case <-over.C:
			return taken
		}
	}
	return taken
}

// sleep returns false if over fires before the time has passed.
func sleep(d time.Duration, over <-chan time.Time) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}

// advance determines the next members to ask, or ends an inquiry that needs none.
func (s *seen) advance(q *inquiry) {
	c := q.check
	home := s.directory.home(c.Author)
	s.mu.Lock()
	defer s.mu.Unlock()
	q.moved = false
	decider := s.decider(home, c.Author)
	elsewhere, waits := q.first && decider != s.self.name, slices.ContainsFunc(q.stopped, s.runs)
	var further []string
	stale := false
	if !elsewhere || len(q.stopped) > 0 {
		further, stale = s.consult(c.Author, stamped{at: c.Stamp, adjusted: c.Adjusted}, home)
	}
	if c.Verdict = actors.Unanswered; waits || stale && elsewhere {
		c.Verdict = actors.Stale // unless an answer says otherwise
	}
	if elsewhere {
		q.next = []string{decider}
		return
	}
	q.first = false
	if stale {
		c.Verdict, q.ended = actors.Stale, true
		return
	}
	q.next = slices.DeleteFunc(append(q.next, further...), func(name string) bool {
		return name == s.self.name || slices.Contains(q.asked, name)
	})
	slices.Sort(q.next)
	switch q.next = slices.Compact(q.next); {
	case len(q.next) > 0:
	case waits:
		q.moved = true
	case s.accountsFor(q.stopped, c.Author, home):
		c.Verdict, q.ended = actors.Fresh, true
	default:
		q.ended = true // unanswered
	}
}

// accountsFor reports whether consult knows all of these starts, which have stopped, as former homes or keepers of an
// author, or as those that have handed their entries over. s.mu is held.
func (s *seen) accountsFor(stopped []startOf, author string, home *member) bool {
	return !slices.ContainsFunc(stopped, func(start startOf) bool {
		knows := func(f former) bool { return startOf{f.member, f.boot} == start }
		handed := s.hasHandedOver(former{member: start.member, boot: start.boot})
		return !handed && !slices.ContainsFunc(s.formerOf(author, home), knows)
	})
}

// result is the answer of one member about one message.
type result struct {
	inquiry *inquiry
	asked   startOf
	answer  checked
	err     error
}

// step asks the next members of all inquiries, and processes their answers. It returns false if over fires before.
func (e *Engine) step(all []*inquiry, over <-chan time.Time) bool {
	expected := 0
	for _, q := range all {
		expected += len(q.next)
	}
	results, byMember := make(chan result, expected), make(map[string][]*question)
	for _, q := range all {
		for _, name := range q.next {
			q.asked = append(q.asked, name)
			c := check{author: q.check.Author, digest: q.check.Digest, first: q.first}
			asked := e.seen.stampFor(&c, q.check, name)
			byMember[name] = append(byMember[name], &question{c, func(answer checked, err error) {
				results <- result{q, asked, answer, err}
			}})
		}
		q.next = nil
	}
	for name, questions := range byMember {
		e.check(name, questions...)
	}
	for range expected {
		select {
		case r := <-results:
			r.inquiry.take(r)
		case <-over:
			return false
		}
	}
	return true
}

// take processes an answer.
func (q *inquiry) take(r result) {
	c := q.check
	if q.ended && c.Verdict != actors.Unanswered {
		return
	}
	if q.first && r.err == nil && r.answer.verdict == seenFresh {
		q.stopped = nil // the present decider accounts for earlier ones
	}
	silent := errors.Is(r.err, ErrNoResponders)
	if silent || r.err == nil && r.asked.boot != 0 && r.answer.boot != r.asked.boot {
		q.stopped = append(q.stopped, r.asked)
		c.Verdict = actors.Stale // unless the history says otherwise
	}
	switch {
	case q.first && (silent || r.err == nil && r.answer.verdict == seenUnknown):
		q.asked, q.moved = nil, true
	case silent:
	case r.err != nil:
		q.ended = true // unanswered
	case r.answer.verdict == seenFresh:
		q.first = false
		q.next = append(q.next, r.answer.former...)
	default:
		c.Verdict, q.ended = r.answer.verdict.local(), true
	}
}

// local returns a verdict as this member's set gives it.
func (v seenVerdict) local() actors.Verdict {
	switch v {
	case seenFresh:
		return actors.Fresh
	case seenDuplicate:
		return actors.Duplicate
	case seenStale:
		return actors.Stale
	case seenFull:
		return actors.Full
	default:
		return actors.Unanswered
	}
}
