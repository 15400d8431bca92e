package natsbus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/Snider/go-p2p/supervisor/cluster"
)

// operator is the operator of a NATS server: it sees all messages and sends any.
type operator struct {
	*nats.Conn
	t        *testing.T
	recorded chan *nats.Msg
}

func (w *world) operator(url string) *operator {
	w.t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(conn.Close)
	o := &operator{Conn: conn, t: w.t, recorded: make(chan *nats.Msg, 1024)}
	if _, err := conn.ChanSubscribe(">", o.recorded); err != nil {
		w.t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// next returns the next recorded message of a subject.
func (o *operator) next(subject string) *nats.Msg {
	o.t.Helper()
	for {
		select {
		case m := <-o.recorded:
			if m.Subject == subject {
				return m
			}
		case <-time.After(patience):
			o.t.Fatal("the operator does not see " + subject)
		}
	}
}

func (o *operator) send(m *nats.Msg) {
	o.t.Helper()
	if err := errors.Join(o.PublishMsg(m), o.Flush()); err != nil {
		o.t.Fatal(err)
	}
}

// awaitProof publishes until a member accepts the messages of another one.
func awaitProof(t *testing.T, from, to *member, subject string) {
	t.Helper()
	received := counter(t, to, subject)
	await(t, "a message", func() bool {
		if err := from.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		return received() > 0
	})
}

// A message sent before a member started is refused by it: whether its sender still runs or not, and also when
// newer messages of the sender have arrived.
func TestMembersRefuseMessagesOfBeforeTheirStart(t *testing.T) {
	for _, ended := range []bool{false, true} {
		w := newWorld(t)
		url := external(t, -1).ClientURL()
		o := w.operator(url)
		sender := w.dial(url)
		if err := sender.Publish("p2p.x.m.b.fwd", []byte("forward")); err != nil {
			t.Fatal(err)
		}
		old := o.next("p2p.x.m.b.fwd")
		if ended {
			sender.Close()
			sender = w.dial(url)
		}
		restarted := w.dial(url)
		received := counter(t, restarted, "p2p.x.m.b.fwd")
		for range 3 {
			o.send(old)
		}
		awaitProof(t, sender, restarted, "p2p.x.proof")
		o.send(old)
		awaitProof(t, sender, restarted, "p2p.x.again")
		if n := received(); n != 0 {
			t.Errorf("sender has ended: %v: an old message was delivered %d times", ended, n)
		}
	}
}

// The operator withholds a request and delivers an earlier one of its subject with its reply subject: the later request
// ignores the answer to the earlier one.
func TestAnswersBelongToTheirRequest(t *testing.T) {
	w := newWorld(t)
	url := external(t, -1).ClientURL()
	o := w.operator(url)
	a, b := w.dial(url), w.dial(url)
	awaitProof(t, a, b, "p2p.x.proof")
	ask := func(ctx context.Context, body string) (answer []byte, err error) {
		return a.Request(ctx, "p2p.x.book", []byte(body))
	}
	withheld, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = ask(withheld, "allow")
	}()
	earlier := o.next("p2p.x.book") // no member has subscribed: b does not receive it
	cancel()
	<-gone
	ctx, stop := context.WithCancel(t.Context())
	answered := make(chan string, 1)
	go func() {
		answer, err := ask(ctx, "revoke")
		if err == nil {
			answered <- string(answer)
		}
		close(answered)
	}()
	later := o.next("p2p.x.book")
	done := make(chan struct{})
	if _, err := b.Subscribe("p2p.x.book", func(d cluster.Delivery) {
		d.Respond([]byte("done"))
		close(done)
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.client.Flush(); err != nil {
		t.Fatal(err)
	}
	o.send(&nats.Msg{Subject: earlier.Subject, Reply: later.Reply, Data: earlier.Data})
	<-done
	o.next(later.Reply)
	await(t, "the warning", func() bool { return a.log.count("was refused") > 0 || len(answered) > 0 })
	stop()
	if answer, ok := <-answered; ok {
		t.Errorf("the withheld request was answered with %q", answer)
	}
}
