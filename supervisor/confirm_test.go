package supervisor

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

func inSMSG(s *nodeSetup) { s.cfg.Session = SessionOff }

// wantUnconfirmed checks that an error is ErrUnconfirmed with a cause, and nothing else.
func wantUnconfirmed(t *testing.T, err, cause error) {
	t.Helper()
	var unconfirmed *UnconfirmedError
	if !errors.Is(err, ErrUnconfirmed) || !errors.Is(err, cause) || !errors.As(err, &unconfirmed) ||
		errors.Is(err, ErrNotAccepted) {
		t.Errorf("got %v, want ErrUnconfirmed because of %v", err, cause)
	}
}

// SendConfirmed returns one round trip after the message has entered the handlers' queue, in both formats, and does not
// wait for the handler. A duplicate is confirmed as well.
func TestSendConfirmedReturnsOnceAccepted(t *testing.T) {
	for name, format := range map[string]func(*nodeSetup){"session": func(*nodeSetup) {}, "SMSG": inSMSG} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			a, b := startNode(t, n, 1, format), startNode(t, n, 2, format)
			release, calls := make(chan struct{}), 0
			b.Handle("slow", func(*PeerConnection, *wire.Message) (*wire.Message, error) {
				calls++
				<-release
				return nil, nil
			})
			c := a.dial(b)
			n.SetLatency("10.0.0.1", "10.0.0.2", 20*time.Millisecond)
			n.SetLatency("10.0.0.2", "10.0.0.1", 20*time.Millisecond)
			msg := a.to(b.id(), "slow", nil)
			for range 2 {
				began := time.Now()
				if err := a.SendConfirmed(t.Context(), b.id(), msg); err != nil || time.Since(began) != 40*time.Millisecond {
					t.Errorf("%s: %v after %v, want nil after a round trip of 40ms", name, err, time.Since(began))
				}
			}
			if err := c.SendConfirmed(t.Context(), a.to(b.id(), "slow", nil)); err != nil {
				t.Errorf("%s: on the connection: %v", name, err)
			}
			b.wantCount(actors.MessagesDuplicate, 1)
			close(release)
			if synctest.Wait(); calls != 2 {
				t.Errorf("%s: the handler was called %d times, want 2", name, calls)
			}
		})
	}
}

// The peer's node reports a message that it has dropped.
func TestSendConfirmedReportsADrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		ahead := WithClock(func() time.Time { return time.Now().Add(time.Hour) })
		a := startNode(t, n, 1, inSMSG, func(s *nodeSetup) { s.options = []Option{ahead} })
		b := startNode(t, n, 2, inSMSG)
		c := a.dial(b)
		early, err := c.NewMessage("stats", nil)
		if err != nil {
			t.Fatal(err)
		}
		err = a.SendConfirmed(t.Context(), b.id(), early)
		var dropped *NotAcceptedError
		if !errors.Is(err, ErrNotAccepted) || !errors.As(err, &dropped) || dropped.Receipt != wire.ReceiptStale ||
			errors.Is(err, ErrUnconfirmed) {
			t.Errorf("a message from a clock that is an hour ahead: %v", err)
		}
		err = c.confirm(t.Context(), "never sent")
		if !errors.As(err, &dropped) || dropped.Receipt != wire.ReceiptUnknown {
			t.Errorf("a message that the peer never had: %v", err)
		}
		if got := b.got("stats"); len(got) != 0 {
			t.Errorf("delivered %v", got)
		}
	})
}

// No pong: the result is unknown, after PongTimeout, at the end of the connection or of the context.
func TestSendConfirmedReportsTheUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		c := a.dial(b)
		send := func(ctx context.Context) (took time.Duration, err error) {
			began := time.Now()
			err = a.SendConfirmed(ctx, b.id(), a.to(b.id(), "stats", nil))
			return time.Since(began), err
		}
		n.Stall("10.0.0.2", "10.0.0.1")
		took, err := send(context.Background())
		wantUnconfirmed(t, err, context.DeadlineExceeded)
		if took != 10*time.Second {
			t.Errorf("without an answer it took %v, want PongTimeout", took)
		}
		limited, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if took, err = send(limited); took != time.Second {
			t.Errorf("it took %v, want the second of the context", took)
		}
		wantUnconfirmed(t, err, context.DeadlineExceeded)
		time.AfterFunc(time.Second, n.Links("10.0.0.1", "10.0.0.2")[0].Cut)
		_, err = send(context.Background())
		wantUnconfirmed(t, err, ErrClosed)
		if got := b.got("stats"); len(got) != 3 {
			t.Errorf("%d of 3 messages without confirmation arrived", len(got))
		}
		err = c.SendConfirmed(context.Background(), a.to(b.id(), "stats", nil))
		if !errors.Is(err, ErrClosed) || errors.Is(err, ErrUnconfirmed) {
			t.Errorf("on a closed connection: %v, want ErrClosed: it was not sent", err)
		}
		if left := len(a.replies.waiting); left != 0 {
			t.Errorf("%d pongs are still awaited", left)
		}
	})
}

// A deployed node answers pings only with a worker attached: its messages are confirmed, as read, or never.
func TestSendConfirmedToADeployedNode(t *testing.T) {
	for _, worker := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			a := startNode(t, n, 1)
			d := startDeployedWith(t, n, refpeer.DeployedOptions{PingInterval: time.Hour, Worker: worker})
			if _, err := a.Connect(&Peer{Address: "10.0.0.2:9091"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			id := d.Identity().ID
			err := a.SendConfirmed(context.Background(), id, a.to(id, "stats", nil))
			if worker && err != nil {
				t.Errorf("with a worker: %v", err)
			} else if !worker {
				wantUnconfirmed(t, err, context.DeadlineExceeded)
			}
		})
	}
}

// The pings wait for the peer's rate limit, as the messages do: the peer drops none, although 200 callers are faster
// than its limit.
func TestSendConfirmedStaysBelowTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, _ := pacedPair(t, inSMSG)
		var callers sync.WaitGroup
		for range 200 {
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if err := from.SendConfirmed(ctx, to.id(), from.to(to.id(), "stats", nil)); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		to.wantCount(actors.MessagesRateLimited, 0)
		if got := len(to.got("stats")); got != 200 {
			t.Errorf("%d of 200 messages arrived", got)
		}
	})
}
