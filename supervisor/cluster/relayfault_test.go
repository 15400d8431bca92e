package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A message waits at its home for the peer's rate limit. The end of the caller's context withdraws it there, and so
// does WriteTimeout if the caller has no end.
func TestForwardedMessageIsWithdrawnFromThePacedQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		quiet := func(c *supervisor.TransportConfig) { c.PingInterval = 10 * time.Minute } // a ping takes a token
		m.member("a", quiet)
		m.member("b")
		p := m.peer("peer", []string{"a"}, quiet, func(c *supervisor.TransportConfig) {
			c.RateBurst, c.RateRefill = 20, 0.01
		})
		m.pass(time.Second)
		b := m.hosts["b"]
		sent := 0
		for ; sent < 20; sent++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := b.SendContext(ctx, p.id(), message(t, p, fmt.Sprint(sent)))
			cancel()
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				break
			}
		}
		began := time.Now()
		if err := b.Send(p.id(), message(t, p, "endless")); !errors.Is(err, supervisor.ErrPaced) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began).Round(time.Second); took != 10*time.Second {
			t.Errorf("withdrawn after %v, want 10 s", took)
		}
		m.pass(20 * time.Minute)
		if got := len(p.messages()); got != sent || sent >= 20 {
			t.Errorf("%d received, %d sent", got, sent)
		}
	})
}

// The connection of the peer is stuck when its home is killed: the result is ErrUnconfirmed within two seconds.
func TestSendEndsUnconfirmedWhenTheHomeIsKilled(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		a, b := m.hosts["a"], m.hosts["b"]
		m.net.Stall(a.ip, p.ip)
		results := make(chan error, 1)
		large := message(t, p, "")
		large.Payload = append(append([]byte{'"'}, slices.Repeat([]byte{'x'}, 1<<19)...), '"')
		go func() {
			var err error
			for err == nil {
				_ = large.Renew(large.Payload)
				err = b.Send(p.id(), large)
			}
			results <- err
		}()
		m.pass(time.Second)
		began := time.Now()
		a.kill(false)
		err := <-results
		if took := time.Since(began); !errors.Is(err, supervisor.ErrUnconfirmed) || took > 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// A sender that goes on while its peer changes the member loses no message that was sent without an error, and the
// peer gets none twice.
func TestSendsContinueWhileThePeerMoves(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a", "b"})
		m.pass(10 * time.Second)
		m.check()
		home := m.homes(p.id())[0]
		var want []string
		errs := map[string]int{}
		for i := range 400 {
			if i == 100 {
				go m.hosts[home].stop()
			}
			text := fmt.Sprint(i)
			if err := m.hosts["c"].send(p.id(), text); err == nil {
				want = append(want, fmt.Sprintf("%q", text))
			} else {
				errs[err.Error()]++
			}
			time.Sleep(25 * time.Millisecond)
		}
		m.pass(5 * time.Second)
		m.check()
		got := p.messages()
		if len(got) < len(want) || len(want) < 200 {
			t.Errorf("%d received of %d sent", len(got), len(want))
		}
		if slices.Sort(got); len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Error("a message was received twice")
		}
		t.Log(len(want), errs)
	})
}
