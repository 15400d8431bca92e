package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
)

// slowStart is a bus on which each subscription takes 10 ms. It notes the subscriptions before the first message.
type slowStart struct {
	*membus.Bus
	fails string // subscribing to subjects that end so fails, if not empty

	mu            sync.Mutex
	subscriptions int
	cancelled     int
	before        []int // subscriptions before each message
}

func (b *slowStart) Subscribe(subject string, handle func(cluster.Delivery)) (func(), error) {
	time.Sleep(10 * time.Millisecond)
	if b.fails != "" && strings.HasSuffix(subject, b.fails) {
		return nil, errors.New("no subscription")
	}
	b.mu.Lock()
	b.subscriptions++
	b.mu.Unlock()
	cancel, err := b.Bus.Subscribe(subject, handle)
	return func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.cancelled++
	}, err
}

func (b *slowStart) Publish(subject string, body []byte) error {
	b.mu.Lock()
	b.before = append(b.before, b.subscriptions)
	b.mu.Unlock()
	return b.Bus.Publish(subject, body)
}

// noted returns the subscriptions before each message, and how many were made and cancelled.
func (b *slowStart) noted() (before []int, all, cancelled int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.before), b.subscriptions, b.cancelled
}

// slowMember makes a member whose subscriptions take time.
func (w *world) slowMember(name, fails string) (*process, *slowStart) {
	p := w.process(name)
	bus := &slowStart{Bus: p.bus, fails: fails}
	p.engine = cluster.New(bus, cluster.Options{
		Name: name, NodeID: "node", Boot: w.boots, System: w.system, Log: slog.New(slog.DiscardHandler),
	})
	return p, bus
}

// A member sends its first message when it has all subscriptions: another member that hears it can ask it at once, and
// logs its start once.
func TestMemberSubscribesBeforeItIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		var written bytes.Buffer // one actor writes, and the bubble is idle when it is read
		w.log = slog.New(slog.NewTextHandler(&written, nil))
		w.start("a")
		w.log = nil
		b, bus := w.slowMember("b", "")
		if err := b.engine.Join(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		if before, all, _ := bus.noted(); len(before) == 0 || before[0] != all {
			t.Errorf("subscriptions before each message: %v, want all %d before the first", before, all)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := strings.Count(written.String(), "a member is alive"); n != 1 {
			t.Errorf("%d lines about the start of b, want 1: %s", n, written.String())
		}
	})
}

// A member whose subscriptions fail sends nothing, and cancels those that it has.
func TestMemberWithoutSubscriptionsDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.start("a")
		b, bus := w.slowMember("b", ".ask")
		if err := b.engine.Join(context.Background(), b); err == nil {
			t.Error("joined")
		}
		if before, all, cancelled := bus.noted(); len(before) != 0 || cancelled != all {
			t.Errorf("%d messages, %d of %d subscriptions cancelled", len(before), cancelled, all)
		}
	})
}

// pausedStart is a bus whose process stands still for 1.5 s after its first subscription.
type pausedStart struct{ *membus.Bus }

func (b pausedStart) Subscribe(subject string, handle func(cluster.Delivery)) (func(), error) {
	cancel, err := b.Bus.Subscribe(subject, handle)
	if strings.HasSuffix(subject, ".dir") {
		time.Sleep(1500 * time.Millisecond)
	}
	return cancel, err
}

// The claims of the other members may be complete before the first heartbeat of a member that starts slowly. Join ends
// after that heartbeat.
func TestJoinEndsAfterTheFirstHeartbeat(t *testing.T) {
	inWorld(t, "b", func(t *testing.T, w *world) {
		w.net.Delay(400*time.Millisecond, 401*time.Millisecond) // claims arrive after 1.2 s
		p := w.process("a")
		p.engine = cluster.New(pausedStart{p.bus}, cluster.Options{
			Name: "a", NodeID: "node", Boot: 99, System: w.system, Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := p.engine.Join(ctx, p); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("Join ended after %v: %v", time.Since(began), err)
		}
	})
}
