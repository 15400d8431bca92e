package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// recordingInvoker records the messages of a mailbox. "panic" panics, and then the supervisor suspends the mailbox.
type recordingInvoker struct {
	mailbox *mailbox
	got     []string
	during  func(message any) // called for each message
}

func (r *recordingInvoker) InvokeSystemMessage(m any) { r.record("system", m) }
func (r *recordingInvoker) InvokeUserMessage(m any)   { r.record("user", m) }

func (r *recordingInvoker) record(kind string, m any) {
	r.got = append(r.got, fmt.Sprint(kind, " ", m))
	if r.during != nil {
		r.during(m)
	}
	if m == "panic" {
		panic(errors.New("test"))
	}
}

func (r *recordingInvoker) EscalateFailure(reason, m any) {
	r.got = append(r.got, fmt.Sprint(reason, " in ", m))
	r.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
}

// manualDispatcher keeps the scheduled runs.
type manualDispatcher struct{ runs []func() }

func (d *manualDispatcher) Schedule(run func()) { d.runs = append(d.runs, run) }
func (d *manualDispatcher) Throughput() int     { return 2 }

// work does the scheduled runs and returns their number.
func (d *manualDispatcher) work() (n int) {
	for len(d.runs) > 0 {
		run := d.runs[0]
		d.runs = d.runs[1:]
		run()
		n++
	}
	return n
}

func newTestMailbox() (*mailbox, *recordingInvoker, *manualDispatcher) {
	m, d := &mailbox{}, &manualDispatcher{}
	r := &recordingInvoker{mailbox: m}
	m.RegisterHandlers(r, d)
	m.Start()
	return m, r, d
}

func TestMailboxKeepsOrder(t *testing.T) {
	m, r, d := newTestMailbox()
	r.during = func(message any) {
		if message == 1 { // both are posted inside a run
			m.PostUserMessage(9)
			m.PostSystemMessage("later")
		}
	}
	for i := range 5 {
		m.PostUserMessage(i)
	}
	m.PostSystemMessage("first")
	if n := m.UserMessageCount(); n != 5 {
		t.Errorf("%d user messages wait, want 5", n)
	}
	if n := d.work(); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	want := []string{"system first", "user 0", "user 1", "system later", "user 2", "user 3", "user 4", "user 9"}
	if !slices.Equal(r.got, want) {
		t.Errorf("got %q, want %q", r.got, want)
	}
	if m.UserMessageCount() != 0 || m.user != nil || m.system != nil {
		t.Error("an empty mailbox holds a batch")
	}
}

// After a panic the next user message waits until the supervisor has decided; system messages do not.
func TestMailboxIsSuspendedByPanic(t *testing.T) {
	m, r, d := newTestMailbox()
	m.PostUserMessage("panic")
	m.PostUserMessage("after")
	d.work()
	m.PostUserMessage("last")
	if n := d.work(); n != 0 {
		t.Errorf("%d runs while suspended, want 0", n)
	}
	m.PostSystemMessage("system")
	d.work()
	want := []string{"user panic", "test in panic", "system system"}
	if !slices.Equal(r.got, want) {
		t.Errorf("suspended: got %q, want %q", r.got, want)
	}
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.work()
	if want = append(want, "user after", "user last"); !slices.Equal(r.got, want) {
		t.Errorf("resumed: got %q, want %q", r.got, want)
	}
}

// A queue that never becomes empty takes the memory of the messages that wait, not of all that have passed.
func TestBusyMailboxKeepsNoProcessedMessages(t *testing.T) {
	for name, post := range map[string]func(*mailbox, any){
		"user": (*mailbox).PostUserMessage, "system": (*mailbox).PostSystemMessage,
	} {
		t.Run(name, func(t *testing.T) {
			m, _, _ := newTestMailbox()
			const waiting, passing = 3, 2 * maxKept
			for i := range waiting {
				post(m, i)
			}
			queue := m.user
			if name == "system" {
				queue = m.system
			}
			before := cap(queue.items) // of a batch that another test may have used
			for i := range passing {
				post(m, waiting+i)
				if got, _, _ := m.next(); got != i {
					t.Fatalf("message %v, want %d", got, i)
				}
			}
			if after := cap(queue.items); after != before {
				t.Errorf("the queue grew from %d to %d entries for %d messages", before, after, waiting)
			}
		})
	}
}
