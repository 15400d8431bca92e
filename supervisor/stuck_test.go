package supervisor

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A subscriber whose goroutine has ended never processes a message. After a minute it is unsubscribed and deliveries
// continue. A subscriber that processes a message every half second stays.
func TestStuckSubscriberIsUnsubscribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1, unlimited), startNode(t, n, 2, unlimited)
		root := b.opts.system.Root
		exits := root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(Received); ok {
				runtime.Goexit()
			}
		}))
		slow := &program{before: func() { time.Sleep(time.Second / 2) }}
		slowPID := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return slow }))
		order[*Subscribed](t, b, &Subscribe{PID: exits})
		order[*Subscribed](t, b, &Subscribe{PID: slowPID})
		a.dial(b)
		for i := range 200 {
			if err := a.Send(b.id(), a.to(b.id(), "stats", i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(subscriberTries*time.Second - time.Second)
		b.wantCount(actors.SubscribersStuck, 0)
		time.Sleep(10 * time.Minute)
		b.wantCount(actors.SubscribersStuck, 1)
		if b.bus.has(exits) || !b.bus.has(slowPID) {
			t.Error("the stuck subscriber is still one, or the slow one is not")
		}
		if k := len(b.got("stats")); k != 200 {
			t.Errorf("%d messages handled, want 200", k)
		}
	})
}

// A subscriber that needs seconds for each message stays, even if messages for more than a minute wait for it.
func TestSlowSubscriberStays(t *testing.T) {
	for _, pause := range []time.Duration{1100 * time.Millisecond, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			silent := func(s *nodeSetup) { s.cfg.PingInterval, s.cfg.RateRefill, s.cfg.Pacing = 10*time.Hour, 0, PacingOff }
			a, b, c := startNode(t, n, 1, silent), startNode(t, n, 2, silent), startNode(t, n, 3, silent)
			var over atomic.Bool
			slow := &program{before: func() {
				if !over.Load() {
					time.Sleep(pause)
				}
			}}
			pid := b.opts.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return slow }))
			order[*Subscribed](t, b, &Subscribe{PID: pid})
			for _, peer := range []*testNode{a, c} {
				peer.dial(b)
				for i := range 70 {
					if err := peer.Send(b.id(), peer.to(b.id(), "stats", i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(150 * pause)
			over.Store(true)
			time.Sleep(pause)
			b.wantCount(actors.SubscribersStuck, 0)
			if !b.bus.has(pid) || len(b.got("stats")) != 140 {
				t.Errorf("%v a message: subscribed %v, %d messages handled, want 140", pause, b.bus.has(pid), len(b.got("stats")))
			}
		})
	}
}

func (b *eventBus) has(pid *actor.PID) bool {
	return slices.ContainsFunc(b.all(), func(s *subscriber) bool { return s.pid.Equal(pid) })
}
