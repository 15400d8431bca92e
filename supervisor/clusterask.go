package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrUnanswered means that a member has not answered a question: it is lost, too slow, or has no answer.
var ErrUnanswered = errors.New("the member does not answer")

// Limits of the questions of other members.
const (
	maxAnswering = 8               // at once; others are not answered
	answerWithin = 2 * time.Second // the asking member waits as long
)

// answers holds the function of the program that answers other members.
type answers struct {
	answer func(ctx context.Context, question []byte) ([]byte, error) // nil: none
	slots  chan struct{}                                              // a value for each question in process
}

// OnAsk sets the function that answers the questions of other members, see AskMembers. It may be called on several
// goroutines at once, at most 8, and should return when ctx ends. An answer has at most 1 MiB. Set it before Start.
func (t *Transport) OnAsk(answer func(ctx context.Context, question []byte) ([]byte, error)) {
	t.answers.answer = answer
}

// Members returns the members of the cluster by name, this one included, or nil without a cluster.
func (t *Transport) Members() []ClusterMember {
	if t.opts.cluster == nil {
		return nil
	}
	return t.opts.cluster.Members()
}

// MemberAnswer is the answer of one member. Err is ErrUnanswered (errors.Is) or ctx's.
type MemberAnswer struct {
	Member string
	Answer []byte // nil if Err is not nil
	Err    error
}

// AskMembers asks the other members, each on its own, and returns their answers by name. A question has at most 4 KiB.
// Members that are known as lost get no question and have ErrUnanswered at once; the others have two seconds. names
// selects members; none: all.
func (t *Transport) AskMembers(ctx context.Context, question []byte, names ...string) []MemberAnswer {
	var list []MemberAnswer
	var asked sync.WaitGroup
	members := slices.DeleteFunc(t.Members(), func(m ClusterMember) bool {
		return m.Self || len(names) > 0 && !slices.Contains(names, m.Name)
	})
	list = make([]MemberAnswer, len(members))
	for i, m := range members {
		list[i].Member = m.Name
		if m.State == MemberLost {
			list[i].Err = fmt.Errorf("%w: %s is lost", ErrUnanswered, m.Name)
			continue
		}
		asked.Go(func() { list[i].Answer, list[i].Err = t.opts.cluster.AskMember(ctx, m.Name, question) })
	}
	asked.Wait()
	return list
}

// Answer implements ClusterLocal.
func (l clusterLocal) Answer(question []byte, respond func(answer []byte, err error)) {
	t := l.t
	text, resolves := asksResolve(question)
	if t.answers.answer == nil && !resolves {
		respond(nil, errors.New("the program answers no questions"))
		return
	}
	select {
	case t.answers.slots <- struct{}{}:
	default:
		respond(nil, fmt.Errorf("%d questions are in process", maxAnswering))
		return
	}
	go func() {
		defer func() { <-t.answers.slots }()
		if resolves {
			respond(t.answerResolve(text))
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
		defer cancel()
		respond(t.answers.contained(ctx, question))
	}()
}

// close waits until no question is in process, two seconds at most, and refuses further ones.
func (a *answers) close() {
	for range maxAnswering {
		a.slots <- struct{}{}
	}
}

// contained calls the program's function. A panic in it becomes an error.
func (a *answers) contained(ctx context.Context, question []byte) (answer []byte, err error) {
	defer contain("the function of OnAsk", &err)
	return a.answer(ctx, question)
}
