package natsbus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
)

// A member that leaves publishes its goodbye and then ends its subscriptions. If they ended while the goodbye waits in
// the outbox, the others would take the member for killed.
func TestSubscriptionEndsAfterMessagesThatWait(t *testing.T) {
	w := newWorld(t)
	m := w.dial(external(t, -1).ClientURL(), []byte("the secret of all the members"))
	const subject, other = "p2p.x.m.a.ask", "p2p.x.dir"
	cancel, err := m.Subscribe(subject, func(d cluster.Delivery) { d.Respond(nil) })
	if err != nil {
		t.Fatal(err)
	}
	received, release := counter(t, m, other), make(chan struct{})
	write := m.outbox.write
	m.outbox.write = func(o outgoing) {
		<-release
		write(o)
	}
	request := func() error {
		ctx, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer end()
		_, err := m.Request(ctx, subject, nil)
		return err
	}
	if err := m.Publish(other, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := request(); !errors.Is(err, context.DeadlineExceeded) { // the answer waits, too
		t.Errorf("while a message waits: %v, want no answer", err)
	}
	close(release)
	await(t, "the end of the subscription", func() bool { return errors.Is(request(), cluster.ErrNoResponders) })
	await(t, "the message", func() bool { return received() == 1 })
}
