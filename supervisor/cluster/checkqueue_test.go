package cluster

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// A queue of questions ends with its last answer: names of members that are asked once do not stay in memory.
func TestQueueOfQuestionsEndsWithItsLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		answers := make(chan error, 5*300)
		for i := range 5 {
			questions := make([]*question, 300) // more than one batch
			for n := range questions {
				questions[n] = &question{done: func(_ checked, err error) { answers <- err }}
			}
			r.engine.check(fmt.Sprint("member", i), questions...)
		}
		r.engine.check("none")
		synctest.Wait()
		if asked, left := len(answers), len(r.engine.queues.byMember); asked != 5*300 || left != 0 {
			t.Errorf("%d answers, want 1500; %d queues are left", asked, left)
		}
	})
}
